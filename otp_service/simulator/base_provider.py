"""What the providers share: take a message, choose its fault, plan its receipts, answer."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol

from flask import Response
from waitress.channel import ClientDisconnected

from otp_service.simulator import faults
from otp_service.simulator.callbacks import Courier, Outgoing, Step
from otp_service.simulator.faults import Fault
from otp_service.simulator.inbox import Draft, Inbox, Message, now
from otp_service.simulator.options import Options
from otp_service.simulator.script import Script

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_NESTED = b'{"error":{"code":132000,"message":"Param mismatch"}}'
_STRANGE = {
    "html": (b"<!DOCTYPE html><html><body>Please wait...</body></html>", "text/html", 200),
    "garbage": (b'{"status":"subm\xff\x00', "application/json", 200),
    "text": (b"Invalid App Details", "text/plain", 400),
    "nested": (_NESTED, "application/json", 400),
}
_ORDER = ("enqueued", "sent", "delivered", "read")  # as things happen, whenever they are told


class Dialect(Protocol):
    """How one provider says things."""

    def accepted(self, message: Message, *, with_id: bool = True) -> Response:
        """The answer to a send call that was taken."""

    def refused(self, status: int) -> Response:
        """The answer to one that was not."""

    def error_200(self) -> Response:
        """A refusal that only the body tells."""

    def callback(self, message: Message, receipt: str, at: datetime) -> Outgoing | None:
        """See `Writer`."""


class NoAnswer(Response):
    """Ends the connection instead: waitress closes it on this exception."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise ClientDisconnected


class Carrier:
    """Safe between threads."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.inbox = Inbox(options)
        self.script = Script()
        self.courier = Courier(options, self.inbox)
        self.dialects: dict[str, Dialect] = {}
        self._over = threading.Event()

    def send(self, draft: Draft, trouble: str = "") -> Response:
        """Take the message, or do as its fault says: the script's, the number's, or ``trouble``."""
        dialect = self.dialects[draft.provider]
        fault = self._fault(draft, trouble)
        message = self.inbox.add(draft, fault)
        steps = self._steps(message, fault)
        if fault.early:
            for step in steps:
                self.courier.tell(message, step, dialect.callback)
        response = self._answer(message, fault, dialect)
        self.inbox.answered(message, _summary(response))
        if not fault.early and self.inbox.find(message.id):  # a reset may have come meanwhile
            self.courier.plan(message, steps, dialect.callback)
        return response

    def receipt(self, message: Message, receipt: str) -> bool:
        """Tell one receipt now; whether the receiver took it. ValueError: no such receipt."""
        faults.custom("", receipts=(receipt,))
        step = Step(0, receipt, now())
        return self.courier.tell(message, step, self.dialects[message.provider].callback)

    def clear(self) -> None:
        """Forget the messages, the script and what was planned."""
        self.script.clear()
        self.courier.forget()
        self.inbox.clear()

    def end_stalls(self) -> None:
        self._over.set()

    def close(self) -> None:
        self.courier.close()

    def _fault(self, draft: Draft, trouble: str) -> Fault:
        if scripted := self.script.pick(draft.phone, draft.channel):
            return scripted
        by_number = self.options.number_faults
        fault = faults.of_number(draft.phone, draft.channel) if by_number else faults.OK
        return faults.named(trouble) if trouble and fault is faults.OK else fault

    def _steps(self, message: Message, fault: Fault) -> list[Step]:
        words = fault.receipts
        if words is None:
            words = ("delivered",) if message.channel == faults.SMS else _ORDER[:3]
            words += ("read",) if self.options.read and message.channel != faults.SMS else ()
        luck, delay = message.random, self.options.delay
        waits = [delay * (1 + luck.uniform(0, self.options.jitter)) for _ in words]
        at = (0.04 for _ in words) if fault.early else accumulate(waits)
        told = [timedelta(seconds=seconds) for seconds in at]
        happened = [message.at + after for after in _happened(words, told)]
        return [Step(*step) for step in zip(waits, words, happened, strict=True)]

    def _answer(self, message: Message, fault: Fault, dialect: Dialect) -> Response:
        word, _, value = fault.answer.partition(":")
        stopped = word == "stall" and self._over.wait(float(value))
        if word == "closed" or stopped:
            return NoAnswer()
        if word in ("http", "retry-after"):
            response = dialect.refused(int(value) if word == "http" else 429)
            if word == "retry-after":
                response.headers["Retry-After"] = value
            return response
        if word in _STRANGE:
            body, kind, status = _STRANGE[word]
            return Response(body, status, content_type=kind)
        if word == "error-200":
            return dialect.error_200()
        return dialect.accepted(message, with_id=word != "no-id")


def as_json(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")


def _happened(words: Sequence[str], told: Sequence[timedelta]) -> list[timedelta]:
    """When each happened, if it is told then: what is told twice happened once, and what is told
    in the wrong order happened in the right one, before the first of it was told.
    """
    places = [_place(word) for word in words]
    return [
        min(time for time, other in zip(told, places, strict=True) if other >= place)
        - timedelta(milliseconds=10 * (len(_ORDER) - place))
        for place in places
    ]


def _place(receipt: str) -> float:
    stage = receipt.partition(":")[0]
    return _ORDER.index(stage) if stage in _ORDER else 1.5


def _summary(response: Response) -> str:
    """Short enough for a page: the status and the body's beginning."""
    if isinstance(response, NoAnswer):
        return "connection closed"
    said = response.get_data()[:200].decode(errors="replace")
    return f"{response.status_code} {said}"
