"""How limits and the guard against pumping are read."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from otp_service.domain.limits import DAY, FAILURES_IN_A_ROW, Guard, Limit, Limits, Pumping
from otp_service.environment import Reader

_UNITS = {"d": DAY, "h": 3_600, "m": 60, "s": 1}
_WINDOW = re.compile(r"([1-9][0-9]{0,6})/([1-9][0-9]{0,6})([smhd])")
_LONGEST = 30 * DAY


@dataclass(frozen=True)
class _Windows:
    """A setting such as ``5/10m,20/1d``; ``off`` for none, unless one is needed.

    ``limit`` is what its windows are called, ``most`` how many there may be.
    """

    variable: str
    meaning: str
    limit: str
    needed: bool = False
    most: int = 5

    def read(self, read: Reader, default: tuple[Limit, ...]) -> tuple[Limit, ...]:
        text = read.text(self.variable, self.meaning, _written(default)).lower()
        if text == "off" and not self.needed:
            return ()
        found = [_WINDOW.fullmatch(part.strip()) for part in text.split(",")]
        windows = [
            Limit(self.limit, int(match[1]), int(match[2]) * _UNITS[match[3]])
            for match in found
            if match
        ]
        if len(windows) == len(found) <= self.most and all(w.seconds <= _LONGEST for w in windows):
            return tuple(windows)
        example = "5/10m,20/1d" if self.most > 1 else "50/1s"
        off = "" if self.needed else ", or off"
        read.problems.append(
            f"{self.variable} must be COUNT/TIME such as {example} (s, m, h or d; 30 days at most)"
            f"{off}"
        )
        return default


def _written(limits: tuple[Limit, ...]) -> str:
    """As a setting has them."""
    return ",".join(f"{limit.count}/{_time(limit.seconds)}" for limit in limits) or "off"


def _time(seconds: int) -> str:
    return next(f"{seconds // s}{unit}" for unit, s in _UNITS.items() if seconds % s == 0)


_COUNTED = (
    _Windows("OTP_SEND_LIMITS", "Messages to one phone", "phone_sends", needed=True),
    _Windows("OTP_PURPOSE_SEND_LIMITS", "Messages to one phone for one purpose", "purpose_sends"),
    _Windows("OTP_ADDRESS_SEND_LIMITS", "Messages for one end user's address", "address_sends"),
    _Windows("OTP_FAILURE_LIMITS", "Wrong guesses for one phone", "phone_failures", needed=True),
    _Windows(
        "OTP_REFUSAL_LIMITS",
        "Messages to one phone that the provider refuses",
        "phone_refusals",
        needed=True,
    ),
    _Windows(
        "OTP_CLIENT_REFUSAL_LIMITS",
        "Messages of one client that the provider refuses",
        "client_refusals",
    ),
)
"""Each is the field of `Limits` that its windows are called after; what it counts is kept."""
_REQUESTS = _Windows("OTP_CLIENT_REQUESTS", "Requests of one API key", "client_requests", most=1)
_NUMBERS = _Windows(
    "OTP_PUMPING_NUMBERS",
    "More numbers of one prefix look like toll fraud",
    "prefix_numbers",
    needed=True,
    most=1,
)


def read_limits(read: Reader, *, keys_required: bool, max_attempts: int = 5) -> Limits:
    """Requests are counted for API keys only: without keys nobody is told from anybody."""
    default = Limits()
    cooldown = read.number(
        "OTP_RESEND_COOLDOWN_SECONDS", "The pause after a message for one purpose", 0, 0, 3_600
    )
    requests = _REQUESTS.read(read, (Limit("client_requests", 50, 1),))
    counted = {each.limit: each.read(read, getattr(default, each.limit)) for each in _COUNTED}
    in_a_row = read.number(
        "OTP_FAILURES_IN_A_ROW",
        "Wrong guesses for one phone since its last right one",
        FAILURES_IN_A_ROW,
        1,
        FAILURES_IN_A_ROW,
    )
    live = read.number("OTP_LIVE_PER_PHONE", "Verifications of one phone at once", 3, 1, 100)
    return replace(
        default,
        **counted,
        cooldown=(Limit("resend_cooldown", 1, cooldown),) if cooldown else (),
        failures_in_a_row=in_a_row,
        max_attempts=max_attempts,
        live_verifications=replace(default.live_verifications, count=live),
        client_requests=requests[0] if requests and keys_required else None,
        pumping=_pumping(read, default.pumping),
    )


def _pumping(read: Reader, default: Pumping) -> Pumping:
    (numbers,) = _NUMBERS.read(read, (default.numbers,))
    guard = read.choice(
        "OTP_PUMPING_GUARD",
        "What becomes of messages that look like toll fraud",
        default.guard.value,
        tuple(guard.value for guard in Guard),
    )
    sends = "A country's newest messages, of which too few are verified"
    percent = "Fewer verified than so many percent look like toll fraud"
    return Pumping(
        guard=Guard(guard),
        numbers=numbers,
        sends=read.number("OTP_PUMPING_SENDS", sends, default.sends, 10, 1_000),
        percent=read.number("OTP_PUMPING_PERCENT", percent, default.percent, 1, 100),
    )


def refuse_forgotten(read: Reader, limits: Limits, days: int) -> None:
    """A window counts what is kept: what is deleted before it has passed would be forgotten."""
    windows = {each.variable: getattr(limits, each.limit) for each in _COUNTED}
    windows |= {_NUMBERS.variable: (limits.pumping.numbers,)}
    for variable, each in windows.items():
        needed = max((-(-limit.seconds // DAY) for limit in each), default=0)
        if needed > days:
            read.problems.append(
                f"{variable} looks back {needed} days, but OTP_RETENTION_DAYS={days} deletes what "
                f"it counts before: keep at least {needed} days, or shorten the window"
            )
