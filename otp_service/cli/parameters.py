"""What commands are told, read strictly: an error says what is right."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from difflib import get_close_matches
from typing import Any

import click
from flask import Flask

from otp_service.cli.group import application
from otp_service.domain.codes import Codes
from otp_service.domain.destination import network_of
from otp_service.domain.errors import InvalidPhoneNumber
from otp_service.domain.phone import read
from otp_service.domain.verification import PURPOSE, VERIFICATION_ID
from otp_service.settings import settings_of
from otp_service.storage.sql import audit

_SECONDS = {"m": 60, "h": 3_600, "d": 86_400}
_AGO = r"([1-9][0-9]{0,4})([mhd])"
_DATE, _TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}", r"[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{3}([0-9]{3})?)?"
_RFC_3339 = rf"{_DATE}T{_TIME}(Z|[+-][0-9]{{2}}:[0-9]{{2}})"


def codes(app: Flask) -> Codes:
    settings = settings_of(app)
    return Codes(settings.secrets, settings.code_length)


class Phone(click.ParamType[str]):
    """A phone number in any international spelling, as E.164."""

    name = "number"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            return read(str(value), settings_of(application(ctx)).numbering).e164
        except InvalidPhoneNumber as error:
            self.fail(f"No phone number: {error.explanation}", param, ctx)


class Purpose(click.ParamType[str]):
    """As a request names it; another is no purpose that anything could be known of."""

    name = "purpose"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if re.fullmatch(PURPOSE, str(value)) is None:
            self.fail("must be 1 to 32 of a-z, 0-9, _ and -, such as login", param, ctx)
        return str(value)


class Verification(click.ParamType[str]):
    """An id as answers tell it; nothing is known of another."""

    name = "id"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if re.fullmatch(VERIFICATION_ID, str(value)) is None:
            self.fail("must be the verification_id of an answer to /send-otp", param, ctx)
        return str(value)


class Action(click.ParamType[str]):
    """One of those that an audit entry may tell of."""

    name = "action"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if value not in audit.ACTIONS:
            near = get_close_matches(str(value), audit.ACTIONS, n=1)
            known = f"did you mean {near[0]}?" if near else f"they are {', '.join(audit.ACTIONS)}"
            self.fail(f"there is no such action: {known}", param, ctx)
        return str(value)


class Ago(click.ParamType[int]):
    """A time such as 30m, 12h or 7d, in seconds."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        match = re.fullmatch(_AGO, str(value))
        if match is None:
            self.fail("must be such as 30m, 12h or 7d", param, ctx)
        return int(match[1]) * _SECONDS[match[2]]


class Moment(click.ParamType[datetime | timedelta]):
    """A time as RFC 3339 has it, or how long ago: `Ago`'s, or now."""

    name = "time"

    def convert(self, value: Any, param: Any, ctx: Any) -> datetime | timedelta:
        text = str(value)
        if text == "now":
            return timedelta(0)
        if re.fullmatch(_AGO, text):
            return timedelta(seconds=Ago().convert(text, param, ctx))
        try:
            time = text.replace("Z", "+00:00") if re.fullmatch(_RFC_3339, text) else ""
            return datetime.fromisoformat(time).astimezone(timezone.utc)
        except (ValueError, OverflowError):  # the latter at the ends of the calendar
            self.fail("must be such as 2026-11-28T18:30:00Z, 30m, 12h, 7d or now", param, ctx)


class Address(click.ParamType[str]):
    """An IP address, as the pseudonym that it is counted by."""

    name = "address"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        try:
            return codes(application(ctx)).pseudonyms("address", network_of(str(value)))[0]
        except ValueError:
            self.fail("must be an IP address", param, ctx)
