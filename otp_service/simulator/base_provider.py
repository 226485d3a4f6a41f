"""What the providers share: take a message, choose its fault, plan its receipts, answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import ClassVar

from flask import Blueprint, Response

from otp_service.simulator import faults, receipts, responses
from otp_service.simulator.fault_table import OK, Fault
from otp_service.simulator.http import CallbackRequest
from otp_service.simulator.messages import Draft, Message, now
from otp_service.simulator.receipts import Step
from otp_service.simulator.state import State


class BaseProvider(ABC):
    """Safe between threads. A provider says how it is called, answers and reports."""

    name: ClassVar[str]
    """As a message's ``provider``."""

    def __init__(self, state: State) -> None:
        self._state, self._options = state, state.options

    @abstractmethod
    def blueprint(self) -> Blueprint:
        """The calls it takes."""

    @abstractmethod
    def accepted(self, message: Message, *, with_id: bool = True) -> Response:
        """The answer to a send call that was taken."""

    @abstractmethod
    def refused(self, status: int) -> Response:
        """The answer to one that was not."""

    @abstractmethod
    def error_200(self) -> Response:
        """A refusal of which only the body tells."""

    @abstractmethod
    def callback(self, message: Message, receipt: str, at: datetime) -> CallbackRequest | None:
        """See `Writer`."""

    def take(self, draft: Draft, trouble: str = "") -> Response:
        """Take the message, or do as its fault says: the script's, the number's, or ``trouble``."""
        state, fault = self._state, self._fault(draft, trouble)
        message = state.inbox.add(draft, fault)
        steps = receipts.plan(message, fault, self._options)
        if fault.early:
            for step in steps:
                state.callbacks.send(message, step, self.callback)
        response = self._answer(message, fault)
        state.inbox.set_answer(message, responses.summary(response))
        if not fault.early and state.inbox.find(message.id):  # a reset may have come meanwhile
            state.callbacks.plan(message, steps, self.callback)
        return response

    def send_receipt(self, message: Message, receipt: str) -> bool:
        """Send one now; whether the receiver took it. ValueError: no such receipt."""
        faults.custom("", receipts=(receipt,))
        return self._state.callbacks.send(message, Step(0, receipt, now()), self.callback)

    def _fault(self, draft: Draft, trouble: str) -> Fault:
        if scripted := self._state.script.pick(draft.phone, draft.channel):
            return scripted
        by_number = self._options.number_faults
        fault = faults.of_number(draft.phone, draft.channel) if by_number else OK
        return faults.named(trouble) if trouble and fault is OK else fault

    def _answer(self, message: Message, fault: Fault) -> Response:
        word, _, value = fault.answer.partition(":")
        stopped = word == "stall" and self._state.stall(float(value))
        if word == "closed" or stopped:
            return responses.NoAnswer()
        if word == "http":
            return self.refused(int(value))
        if word == "retry-after":
            response = self.refused(429)
            response.headers["Retry-After"] = value
            return response
        if word in responses.STRANGE:
            return responses.strange(word)
        if word == "error-200":
            return self.error_200()
        return self.accepted(message, with_id=word != "no-id")
