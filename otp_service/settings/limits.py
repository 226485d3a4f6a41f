"""How limits, destination rules and the guard against pumping are read."""

from __future__ import annotations

import re
from dataclasses import replace

import phonenumbers

from otp_service.domain.destination import BLOCKED_TYPES, DestinationRules
from otp_service.domain.limits import DAY, FAILURES_IN_A_ROW, Guard, Limit, Limits, Pumping
from otp_service.domain.numbering_plans import NUMBER_TYPES
from otp_service.environment import Reader

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": DAY}
_WINDOW = re.compile(r"([1-9][0-9]{0,6})/([1-9][0-9]{0,6})([smhd])")
_LONGEST = 30 * DAY


def limits(read: Reader, *, keys_required: bool, max_attempts: int = 5) -> Limits:
    """Requests are counted for API keys only: without keys nobody is told from anybody."""
    default = Limits()
    cooldown = read.number("OTP_RESEND_COOLDOWN_SECONDS", 0, 0, 3_600)
    requests = _windows(read, "OTP_CLIENT_REQUESTS", _CLIENT_REQUESTS, "client_requests", most=1)
    return Limits(
        phone_sends=_windows(read, "OTP_SEND_LIMITS", default.phone_sends, needed=True),
        purpose_sends=_windows(read, "OTP_PURPOSE_SEND_LIMITS", (), "purpose_sends"),
        address_sends=_windows(read, "OTP_ADDRESS_SEND_LIMITS", default.address_sends),
        cooldown=(Limit("resend_cooldown", 1, cooldown),) if cooldown else (),
        phone_failures=_windows(read, "OTP_FAILURE_LIMITS", default.phone_failures, needed=True),
        failures_in_a_row=read.number(
            "OTP_FAILURES_IN_A_ROW", FAILURES_IN_A_ROW, 1, FAILURES_IN_A_ROW
        ),
        max_attempts=max_attempts,
        phone_refusals=_windows(read, "OTP_REFUSAL_LIMITS", default.phone_refusals, needed=True),
        client_refusals=_windows(read, "OTP_CLIENT_REFUSAL_LIMITS", default.client_refusals),
        live_verifications=replace(
            default.live_verifications, count=read.number("OTP_LIVE_PER_PHONE", 3, 1, 100)
        ),
        client_requests=requests[0] if requests and keys_required else None,
        pumping=_pumping(read),
    )


def refuse_forgotten(read: Reader, limits: Limits, days: int) -> None:
    """A window counts what is kept: what is deleted before it has passed would be forgotten."""
    windows = {
        "OTP_SEND_LIMITS": limits.phone_sends,
        "OTP_PURPOSE_SEND_LIMITS": limits.purpose_sends,
        "OTP_ADDRESS_SEND_LIMITS": limits.address_sends,
        "OTP_FAILURE_LIMITS": limits.phone_failures,
        "OTP_REFUSAL_LIMITS": limits.phone_refusals,
        "OTP_CLIENT_REFUSAL_LIMITS": limits.client_refusals,
        "OTP_PUMPING_NUMBERS": (limits.pumping.numbers,),
    }
    for variable, each in windows.items():
        needed = max((-(-limit.seconds // DAY) for limit in each), default=0)
        if needed > days:
            read.problems.append(
                f"{variable} looks back {needed} days, but OTP_RETENTION_DAYS={days} deletes what "
                f"it counts before: keep at least {needed} days, or shorten the window"
            )


_CLIENT_REQUESTS = (Limit("client_requests", 50, 1),)


def _windows(
    read: Reader,
    variable: str,
    default: tuple[Limit, ...],
    name: str = "",
    *,
    needed: bool = False,
    most: int = 5,
) -> tuple[Limit, ...]:
    """Such as ``5/10m,20/1d``; ``off`` for none, unless one is needed."""
    text = read.text(variable).lower()
    if not text:
        return default
    if text == "off" and not needed:
        return ()
    found = [_WINDOW.fullmatch(part.strip()) for part in text.split(",")]
    windows = [
        Limit(name or default[0].name, int(match[1]), int(match[2]) * _SECONDS[match[3]])
        for match in found
        if match
    ]
    if len(windows) == len(found) <= most and all(w.seconds <= _LONGEST for w in windows):
        return tuple(windows)
    example = "5/10m,20/1d" if most > 1 else "50/1s"
    off = "" if needed else ", or off"
    read.problems.append(
        f"{variable} must be COUNT/TIME such as {example} (s, m, h or d; 30 days at most){off}"
    )
    return default


def _pumping(read: Reader) -> Pumping:
    default = Pumping()
    choices = tuple(guard.value for guard in Guard)
    (numbers,) = _windows(read, "OTP_PUMPING_NUMBERS", (default.numbers,), needed=True, most=1)
    return Pumping(
        guard=Guard(read.choice("OTP_PUMPING_GUARD", default.guard.value, choices)),
        numbers=numbers,
        sends=read.number("OTP_PUMPING_SENDS", default.sends, 10, 1_000),
        percent=read.number("OTP_PUMPING_PERCENT", default.percent, 1, 100),
    )


def destinations(read: Reader) -> DestinationRules:
    return DestinationRules(
        countries=frozenset(_countries(read)),
        blocked_prefixes=_prefixes(read, "OTP_BLOCKED_PREFIXES", "+88213"),
        blocked_types=_types(read),
        accepted_prefixes=_prefixes(read, "OTP_ACCEPTED_PREFIXES", "+1436"),
        default_country=_default_country(read),
    )


def _parts(read: Reader, variable: str) -> list[str]:
    return [part for part in map(str.strip, read.text(variable).split(",")) if part]


def _countries(read: Reader) -> list[str]:
    named = [part.upper() for part in _parts(read, "OTP_ALLOWED_COUNTRIES")]
    if not set(named) <= set(phonenumbers.SUPPORTED_REGIONS):
        read.problems.append(
            "OTP_ALLOWED_COUNTRIES must be two-letter countries (ISO 3166) such as IN,US, with "
            "commas"
        )
    return named


def _prefixes(read: Reader, variable: str, example: str) -> tuple[str, ...]:
    named = _parts(read, variable)
    if not all(re.fullmatch(r"\+[1-9][0-9]{0,14}", prefix) for prefix in named):
        read.problems.append(
            f"{variable} must be international prefixes such as {example}, with commas"
        )
    return tuple(named)


def _default_country(read: Reader) -> str | None:
    named = read.text("OTP_DEFAULT_COUNTRY").upper()
    if named and named not in phonenumbers.SUPPORTED_REGIONS:
        read.problems.append("OTP_DEFAULT_COUNTRY must be a two-letter country (ISO 3166) as IN is")
    return named or None


def _types(read: Reader) -> frozenset[str]:
    variable = "OTP_BLOCKED_NUMBER_TYPES"
    if read.text(variable).lower() == "off":
        return frozenset()
    named = frozenset(part.lower() for part in _parts(read, variable))
    if not named <= set(NUMBER_TYPES.values()):
        known = ", ".join(sorted(NUMBER_TYPES.values()))
        read.problems.append(f"{variable} must be off, or of: {known}; with commas")
    return named or BLOCKED_TYPES
