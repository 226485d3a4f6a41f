"""The events that came, for people: what happened to each verification, in the order of its coming.
Works without JavaScript, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import Blueprint, Response, render_template

from otp_service.simulator import pages
from otp_service.simulator.events import Event
from otp_service.simulator.state import State

BAD = (".failed", ".expired", ".canceled")
GOOD = (".verified", ".delivered", ".read")


class EventPage:
    def __init__(self, state: State) -> None:
        self._state = state

    def show(self) -> Response:
        """The stories of the newest events, the one with the newest first."""
        secrets = len(self._state.options.events_secrets)
        tag = f"{self._state.options.seed}-{self._state.events.version}-{secrets}"
        return pages.answer(tag, self._render)

    def _render(self) -> str:
        events = self._state.events.events()[-pages.SHOWN :]
        return render_template(
            "simulator_events.html",
            stories=_stories(events),
            count=len(events),
            secrets=len(self._state.options.events_secrets),
            tone=_tone,
            grouped=pages.grouped,
            clock=pages.clock,
            origin=pages.origin(),
        )


def blueprint(state: State) -> Blueprint:
    bp = Blueprint("event_page", __name__)
    bp.get("/simulator/events")(EventPage(state).show)
    return bp


def _stories(events: Sequence[Event]) -> list[list[Event]]:
    """Those of one verification or message in the order in which they came."""
    by_id: dict[str, list[Event]] = {}
    for event in events:
        key = event.about or f"event {event.number}"  # which is of none
        by_id[key] = [*by_id.pop(key, []), event]
    return list(reversed(by_id.values()))


def _tone(event: Event) -> str:
    if event.problem or event.type.endswith(BAD):
        return "bad"
    return "good" if event.type.endswith(GOOD) else "plain"
