"""What `POST /messages` takes: a code of somebody else's, as it is or in a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from otp_service.domain.errors import InvalidRequest
from otp_service.domain.typed import code_in, plain
from otp_service.web.fields import Text, matches, needed
from otp_service.web.request_schemas import send_schema

_DIGITS, _EXAMPLE = "4 to 10 digits", "123456"
_TEXT_EXAMPLE = "123456 is your code for the shop"
_TEXT_RULE = "a text with exactly one number of 4 to 10 digits"
_SECONDS = "a whole number of seconds from 30 to 600"
_LONGEST = 4096


class _Seconds(fields.Integer):
    """A number, and not a text that looks like one; 180.0 is whole (JSON Schema, 6.1.1)."""

    def _validated(self, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid")
        return value


def _has_a_code(text: str) -> None:
    if code_in(text) is None:
        raise ValidationError(needed(_TEXT_RULE, _TEXT_EXAMPLE))


def message_schema(channels: Iterable[str]) -> type[Schema]:
    """Where these channels are configured; it takes what fits one of `documented_schemas`."""
    own = {"otp": _code(), "text": _text(), "expires_in": _expires_in()}
    return send_schema(channels).from_dict(own, name="Relay")


def documented_schemas(channels: Iterable[str]) -> list[type[Schema]]:
    """A request has one of two shapes."""
    common = send_schema(channels)
    of_code = {"otp": _code(required=True), "expires_in": _expires_in()}
    of_text = {"text": _text(required=True), "expires_in": _expires_in()}
    return [
        common.from_dict(of_code, name="RelayedCode"),
        common.from_dict(of_text, name="RelayedText"),
    ]


def _code(*, required: bool = False) -> fields.Field[Any]:
    return Text(
        "The code as it is to be delivered; blanks and hyphens are left out. Or give `text`.",
        _EXAMPLE,
        matches("[0-9]{4,10}", needed(_DIGITS, _EXAMPLE)),
        rule=_DIGITS,
        format="otp",
        reads=plain,
        plain="[0-9]+",
        required=required,
    )


def _text(*, required: bool = False) -> fields.Field[Any]:
    return Text(
        f"Instead of `otp`: {_TEXT_RULE}. Its words are not sent.",
        _TEXT_EXAMPLE,
        validate.Length(max=_LONGEST, error=f"At most {_LONGEST} characters."),
        _has_a_code,
        rule=_TEXT_RULE,
        format="otp-text",
        required=required,
    )


def _expires_in() -> fields.Field[Any]:
    wrong = needed(_SECONDS, "180")
    return _Seconds(
        validate=validate.Range(30, 600, error=wrong),
        error_messages=dict.fromkeys(("invalid", "null", "too_large"), wrong),
        metadata={
            "description": "In how many seconds the code ends: it is not sent after that. By "
            "default OTP_EXPIRY_MINUTES.",
            "example": 180,
        },
    )


def code_of(body: dict[str, Any]) -> str:
    """Raises `InvalidRequest` unless it has one of ``otp`` and ``text``."""
    code, text = body.get("otp"), body.get("text")
    if (code is None) == (text is None):
        rule = f"Needed: either otp or text, such as otp {_EXAMPLE}."
        raise InvalidRequest({"otp": [rule], "text": [rule]})
    return str(code if text is None else code_in(text))
