"""The calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import wraps
from types import TracebackType
from typing import ParamSpec, TypeVar
from urllib.parse import quote

from otp_client.answers import Message, Sent, Verification, Verified
from otp_client.errors import UNEXPECTED, NoAnswer, OtpClientError, Refusal, error_of
from otp_client.reading import read
from otp_client.retries import KEY, Retries, with_key
from otp_client.transport import Lost, Reply, Request, Transport
from otp_client.version import __version__

T = TypeVar("T")
P = ParamSpec("P")


def _raises_alone(method: Callable[P, T]) -> Callable[P, T]:
    """Errors leave without the frames that hold the code: some print frames with their values."""

    @wraps(method)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(*args, **kwargs)
        except OtpClientError as error:
            failed = error.with_traceback(None)
        del args, kwargs
        raise failed

    return call


class OtpClient:
    """One service, as one client of it. Safe to share between threads, and to be forked.

    ``timeout``: seconds that one try may wait for its answer. ``deadline``: seconds for a whole
    call, with its further tries after lost connections and 503, and the pauses between.
    ``clock`` and ``sleep`` are for tests.

    Each call raises `NoAnswer` or the `ApiError` of its ``error.code``; see `otp_client.errors`.
    ``idempotency_key`` is made anew for each call. Pass one where a call may be repeated after
    this process has ended (from a queue, say): then it is done once, whoever repeats it.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        timeout: float = 10.0,
        deadline: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raises `ValueError` for an address or a key that can't be one; nothing is asked yet."""
        if not (timeout > 0 and deadline > 0):
            raise ValueError("timeout and deadline must be more than 0 seconds")
        self._transport = Transport(base_url, api_key, f"otp-client/{__version__}")
        self._retries = Retries(timeout, deadline, clock, sleep)

    def __repr__(self) -> str:
        return f"OtpClient({self._transport.base_url!r})"

    @_raises_alone
    def send(
        self,
        phone_number: str,
        *,
        purpose: str | None = None,
        channel: str | None = None,
        locale: str | None = None,
        client_ip: str | None = None,
        respond_async: bool = False,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Send a code. Raises `OtpAlreadySent`, which has all of `Sent`, while one is live.

        ``client_ip`` is the end user's address: the service counts it, and keeps it as a hash
        only. ``respond_async``: don't wait for the provider.
        """
        wanted = _given(purpose=purpose, channel=channel, locale=locale, client_ip=client_ip)
        body = {"phone_number": phone_number, **wanted}
        return self._post(Sent, "/send-otp", body, idempotency_key, respond_async)

    @_raises_alone
    def resend(
        self,
        phone_number: str,
        *,
        purpose: str | None = None,
        channel: str | None = None,
        locale: str | None = None,
        client_ip: str | None = None,
        respond_async: bool = False,
        idempotency_key: str | None = None,
    ) -> Sent:
        """Send another code for the live verification; the one before ends. Else as `send`."""
        wanted = _given(purpose=purpose, channel=channel, locale=locale, client_ip=client_ip)
        body = {"phone_number": phone_number, **wanted}
        return self._post(Sent, "/resend-otp", body, idempotency_key, respond_async)

    @_raises_alone
    def verify(
        self,
        phone_number: str,
        otp: str,
        *,
        purpose: str | None = None,
        verification_id: str | None = None,
        idempotency_key: str | None = None,
    ) -> Verified:
        """Check the code as the person typed it.

        Name the verification (`Sent.verification_id`): then nobody else's wrong guesses lock this
        person out. Raises `InvalidOtp`, `OtpNotFound`, `TooManyAttempts` or `PhoneLocked` where
        the person is not verified, `InvalidRequest` where ``otp`` can't be a code.
        """
        named = _given(purpose=purpose, verification_id=verification_id)
        body = {"phone_number": phone_number, "otp": otp, **named}
        return self._post(Verified, "/verify-otp", body, idempotency_key)

    @_raises_alone
    def get(self, verification_id: str) -> Verification:
        """A verification, and what became of its messages. Raises `NotFound`."""
        return self._ask(Verification, Request("GET", _path("/verifications", verification_id)))

    @_raises_alone
    def cancel(self, verification_id: str) -> Verification:
        """Its code never verifies; one that had ended stays as it is. Raises `NotFound`."""
        return self._ask(Verification, Request("DELETE", _path("/verifications", verification_id)))

    @_raises_alone
    def deliver(
        self,
        phone_number: str,
        *,
        otp: str | None = None,
        text: str | None = None,
        purpose: str | None = None,
        channel: str | None = None,
        locale: str | None = None,
        client_ip: str | None = None,
        expires_in: int | None = None,
        respond_async: bool = False,
        idempotency_key: str | None = None,
    ) -> Message:
        """Deliver a code that somebody else made and checks: ``otp``, or a ``text`` that has one.

        ``expires_in``: seconds for which it is worth delivering.
        """
        wanted = _given(otp=otp, text=text, expires_in=expires_in)
        how = _given(purpose=purpose, channel=channel, locale=locale, client_ip=client_ip)
        body = {"phone_number": phone_number, **wanted, **how}
        return self._post(Message, "/messages", body, idempotency_key, respond_async)

    @_raises_alone
    def get_message(self, message_id: str) -> Message:
        """What became of what `deliver` was given. Raises `NotFound`."""
        return self._ask(Message, Request("GET", _path("/messages", message_id)))

    def close(self) -> None:
        """Let go of the connections. Not needed where a process has one client."""
        self._transport.close()

    def __enter__(self) -> OtpClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _post(
        self,
        kind: type[T],
        path: str,
        body: Mapping[str, object],
        key: str | None,
        respond_async: bool = False,
    ) -> T:
        headers = {"Prefer": "respond-async"} if respond_async else {}
        request = with_key(Request("POST", path, body, headers), key)
        return self._ask(kind, request, own_key=key is None)

    def _ask(self, kind: type[T], request: Request, *, own_key: bool = True) -> T:
        came = self._retries.ask(self._transport, request, own_key=own_key)
        key = request.headers.get(KEY)
        if isinstance(came, Lost):
            raise NoAnswer(came.why, key)
        answer = came.document or {}
        if came.status // 100 != 2 or answer.get("success") is not True:
            raise error_of(_refusal(came, key))
        try:
            return read(kind, answer.get("data"))
        except ValueError as error:
            refusal = _unexpected(came, str(error))
        raise error_of(refusal)


def _given(**fields: object) -> dict[str, object]:
    """Those that were passed: what is left out, the service decides."""
    return {name: value for name, value in fields.items() if value is not None}


def _path(collection: str, id_: str) -> str:
    return f"{collection}/{quote(id_, safe='')}"


def _refusal(came: Reply, key: str | None) -> Refusal:
    answer = came.document or {}
    details, data = answer.get("error"), answer.get("data")
    if not isinstance(details, dict) or not isinstance(details.get("code"), str):
        return _unexpected(came, "this is no answer of the OTP service")
    return Refusal(
        code=details["code"],
        message=str(answer.get("message", "")),
        status=came.status,
        request_id=came.headers.get("X-Request-ID"),
        retry_after=came.retry_after,
        idempotency_key=key,
        details=details,
        data=data if isinstance(data, dict) else {},
    )


def _unexpected(came: Reply, why: str) -> Refusal:
    request_id = came.headers.get("X-Request-ID")
    return Refusal(UNEXPECTED, f"HTTP {came.status}, {why}", came.status, request_id)
