"""What each system is told when a code is not to be sent, in its words and status."""

from __future__ import annotations

import json

import pytest

from otp_service.domain import errors
from otp_service.domain.errors import OtpError
from otp_service.web import errors as web
from otp_service.web.error_handlers import STATUS
from otp_service.web.hooks import FORMATS
from otp_service.web.hooks.authgear import AUTHGEAR
from otp_service.web.hooks.hook import Answer, Format
from otp_service.web.hooks.logto import LOGTO
from otp_service.web.hooks.supabase import SUPABASE
from otp_service.web.hooks.wording import words
from otp_service.web.hooks.zitadel import ZITADEL

TOO_MANY = errors.SendLimitExceeded(phone="+919876543210", retry_after=400, limit="phone_sends")
AWAY = errors.StorageUnavailable(retry_after=2)
NO_NUMBER = errors.InvalidPhoneNumber("too_short")
NOT_THERE = errors.DestinationNotAllowed(phone="+919876543210", reason="country")
TOO_OFTEN = errors.RequestLimitExceeded(retry_after=1)
NO_CODE = errors.InvalidRequest({"sms.otp": ["Needed: 4 to 10 digits."]})
STRANGER = web.WrongHookSignature("webhook-signature", "HOOK_SUPABASE_SECRET")
AT_MOMENT = "No code can be sent at the moment. Try again in a minute."
SEVEN_MINUTES = "Too many codes were asked for. Try again in 7 minutes."


def said(answer: Answer) -> object:
    return json.loads(answer.body)


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (TOO_MANY, 429, SEVEN_MINUTES),
        (NO_NUMBER, 400, "This phone number can't be right. Check it, and its country code."),
        (NOT_THERE, 403, "No code can be sent to this phone number. Use another one."),
        (
            TOO_OFTEN,
            429,
            "Too many people are signing in at the moment. Try again in a few seconds.",
        ),
    ],
)
def test_supabase_shows_people_what_comes_with_200(
    error: OtpError, status: int, message: str
) -> None:
    """Of a 429 without Retry-After it would tell people nothing, and with one ask twice more."""
    answer = SUPABASE.refused(error)
    assert answer.status == 200
    assert said(answer) == {"error": {"http_code": status, "message": message}}
    assert answer.headers == {}


def test_supabase_is_to_try_again_where_another_connection_may_be_better_off() -> None:
    answer = SUPABASE.refused(AWAY)
    assert (answer.status, answer.headers) == (503, {"Retry-After": "2"})
    assert said(answer) == {"error": {"http_code": 503, "message": AT_MOMENT}}


def test_supabase_is_told_what_it_got_wrong_by_the_status() -> None:
    answer = SUPABASE.refused(NO_CODE)
    assert answer.status == 400
    assert said(answer) == {
        "error": {"http_code": 400, "message": "sms.otp: Needed: 4 to 10 digits."}
    }


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [(TOO_MANY, 429, SEVEN_MINUTES), (AWAY, 503, AT_MOMENT), (NOT_THERE, 403, words(NOT_THERE))],
)
def test_logtos_message_is_the_body_so_that_is_a_sentence(
    error: OtpError, status: int, text: str
) -> None:
    answer = LOGTO.refused(error)
    assert (answer.status, answer.body.decode()) == (status, text)
    assert answer.content_type.startswith("text/plain")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (NO_NUMBER, 400, "invalid_phone_number"),
        (TOO_MANY, 429, "rate_limited"),
        (TOO_OFTEN, 429, "rate_limited"),
        (NOT_THERE, 403, "delivery_rejected"),
        (AWAY, 503, "timeout"),
        (NO_CODE, 400, "unsupported_request"),
        (web.UnsupportedMediaType(), 415, "unsupported_request"),
        (STRANGER, 401, "authentication_failed"),
        (errors.IdempotencyKeyReused(), 422, "unknown_error"),
    ],
)
def test_authgear_has_a_code_for_each(error: OtpError, status: int, code: str) -> None:
    answer = AUTHGEAR.refused(error)
    assert answer.status == status
    assert said(answer) == {"code": code, "description": words(error)}


@pytest.mark.parametrize("error", [TOO_MANY, AWAY, NO_NUMBER, STRANGER])
def test_zitadel_tries_again_on_whatever_is_not_2xx(error: OtpError) -> None:
    answer = ZITADEL.refused(error)
    assert answer.status == STATUS[type(error)] >= 400
    assert said(answer) == {"code": error.code, "message": words(error)}


@pytest.mark.parametrize("format_", FORMATS, ids=lambda each: each.name)
@pytest.mark.parametrize("kind", STATUS, ids=lambda kind: kind.__name__)
def test_no_refusal_is_too_strange_to_be_told(format_: Format, kind: type[OtpError]) -> None:
    """Neither a phone nor a word of what is behind us is in it."""
    try:
        error = kind(phone="+919876543210")
    except TypeError:  # it is made of something else
        return
    error.details["fields"] = {}
    answer = format_.refused(error)
    assert answer.status == STATUS[kind] or (format_ is SUPABASE and answer.status == 200)
    assert b"9876543210" not in answer.body


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "1 minute"),
        (60, "1 minute"),
        (61, "2 minutes"),
        (5900, "99 minutes"),
        (86_000, "24 hours"),
    ],
)
def test_waiting_is_told_in_minutes_rounded_up(seconds: int, told: str) -> None:
    assert words(errors.SendLimitExceeded(retry_after=seconds)).endswith(f"Try again in {told}.")
