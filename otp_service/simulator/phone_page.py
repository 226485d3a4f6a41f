"""The phones, for people: a chat for each. Works without JavaScript, too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, render_template, request

from otp_service.simulator import faults, pages
from otp_service.simulator.fault_table import TABLE
from otp_service.simulator.messages import Message, international
from otp_service.simulator.state import State

TICKS = {"submitted": "🕓", "enqueued": "🕓", "sent": "✓", "delivered": "✓✓", "read": "✓✓"}


@dataclass(frozen=True)
class Phone:
    number: str
    newest: datetime
    count: int


class Page:
    def __init__(self, state: State) -> None:
        self._state = state

    def show(self) -> Response:
        """The chat of ?phone=, or of the phone whose message is the newest."""
        chosen = request.args.get("phone", "").strip()
        tag = f"{self._state.options.seed}-{self._state.inbox.version}"
        return pages.answer(tag, lambda: self._render(chosen and international(chosen)))

    def _render(self, pinned: str) -> str:
        messages = self._state.inbox.messages()
        phones = _phones(messages)
        open_phone = pinned or (phones[0].number if phones else "")
        chat = [m for m in messages if m.phone == open_phone][-pages.SHOWN :]
        return render_template(
            "simulator.html",
            phones=phones[: pages.SHOWN],
            phone=open_phone,
            pinned=pinned,
            messages=chat,
            around_code=_around_code,
            tick=_tick,
            reason=_reason,
            grouped=pages.grouped,
            clock=pages.clock,
            faults=TABLE,
            origin=pages.origin(),
        )


def blueprint(state: State) -> Blueprint:
    bp, page = Blueprint("page", __name__), Page(state)
    bp.get("/")(page.show)
    bp.add_url_rule("/simulator", view_func=page.show, endpoint="simulator")
    return bp


def _phones(messages: list[Message]) -> list[Phone]:
    """The one with the newest message first."""
    by_number: dict[str, list[Message]] = {}
    for message in reversed(messages):
        by_number.setdefault(message.phone, []).append(message)
    return [Phone(number, of[0].at, len(of)) for number, of in by_number.items()]


def _around_code(message: Message) -> tuple[str, str, str]:
    """The text before the code, the code, and the rest."""
    return message.text.partition(message.code) if message.code else (message.text, "", "")


def _tick(message: Message) -> str:
    return TICKS.get(message.status.partition(":")[0], "")


def _reason(message: Message) -> str:
    """Why it failed, in the provider's words."""
    stage, _, code = message.status.partition(":")
    return faults.reason(code, message.channel) if stage.endswith("failed") else ""
