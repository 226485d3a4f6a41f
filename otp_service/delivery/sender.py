"""A sender over HTTP: one request, one deadline, nothing told."""

from __future__ import annotations

import threading
from collections.abc import Callable

from otp_service.delivery import http
from otp_service.delivery.http import DEADLINE
from otp_service.delivery.http_connection import Session
from otp_service.delivery.parsing import digits
from otp_service.delivery.provider import Provider
from otp_service.delivery.refusals import error_of
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError, delivery_error
from otp_service.domain.messages import Message


class HttpSender:
    """A `Sender`. Safe to share between threads: each has its own connection.

    ``deadline`` is in seconds and covers a whole send: name lookup to the answer's last byte.
    """

    is_available = True

    def __init__(
        self,
        provider: Provider,
        *,
        deadline: float = DEADLINE,
        new_session: Callable[[], Session] = Session,
    ) -> None:
        self.provider = provider.name
        self.channel = provider.channel
        self._of = provider
        self._missing = provider.missing
        self._deadline = deadline
        self._new_session = new_session
        self._local = threading.local()

    def send(self, message: Message) -> str:
        """See `Sender.send`. 2xx means accepted; a receipt tells later whether it arrived."""
        outcome = self._outcome(message)
        if isinstance(outcome, DeliveryError):
            raise outcome  # here, where neither a context nor a frame holds the request
        return outcome

    def _outcome(self, message: Message) -> str | DeliveryError:
        if self._missing:
            return delivery_error(failures.NOT_CONFIGURED, f"not set: {', '.join(self._missing)}")
        session, request = self._session, self._of.request(message)
        answer = http.send(session, request, self._deadline, unusable=self._of.unusable)
        if isinstance(answer, DeliveryError):
            return answer
        read = self._of.read(answer.body)
        if read.message_id and not read.refused and 200 <= answer.status < 300:
            return read.message_id
        phone = digits(message.phone)[:-4]  # all that a masked phone doesn't show
        secrets = [*self._of.secrets, message.code, phone]
        trouble = read.trouble()
        return error_of(answer, trouble, self._of.family, *secrets, refused=read.refused)

    @property
    def _session(self) -> Session:
        if not hasattr(self._local, "session"):
            self._local.session = self._new_session()
        session: Session = self._local.session
        return session
