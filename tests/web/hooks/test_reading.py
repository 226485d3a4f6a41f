"""What each system's message is read as, and which signatures are right."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from otp_service.domain.errors import InvalidRequest
from otp_service.web.hooks import authgear, fields, logto, supabase, zitadel
from otp_service.web.hooks.signatures import is_fresh
from tests.web.hooks import callers
from tests.web.hooks.callers import SUPABASE_KEYS, ZITADEL_SECRETS, with_value

NUMBER = "+919876543210"
BODY = b'{"a": 1}'


def signed_by(headers: dict[str, str], secrets: Any, raw: bytes = BODY) -> bytes | None:
    system = zitadel.ZITADEL if "ZITADEL-Signature" in headers else supabase.SUPABASE
    return system.signed_with(raw, lambda name: headers.get(name, ""), secrets, time.time())


@pytest.mark.parametrize("joined", [", ", " ", ",", "  ", " v1a,AAAA "])
def test_supabases_signatures_may_stand_apart_in_any_way(joined: str) -> None:
    """It joins them by a comma and a blank; Standard Webhooks has a blank."""
    headers = callers.of_supabase(BODY, slice(0, 2), joined=joined)
    for key in SUPABASE_KEYS:
        assert signed_by(headers, [key]) == key


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-id", ""),
        ("webhook-id", "a b"),
        ("webhook-id", "9b0f,9b0f"),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", "now"),
        ("webhook-timestamp", "1e9"),
        ("webhook-timestamp", "-1"),
        ("webhook-timestamp", "1764300000,1764300000"),
        ("webhook-timestamp", "٣"),
        ("webhook-timestamp", "9" * 400),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "v1,AAAA v1a,AAAA"),
        ("webhook-signature", "v1," + "A" * 8000),
        ("webhook-signature", "ümlaut"),
    ],
)
def test_a_header_of_supabases_that_is_not_right_lets_nobody_in(header: str, value: str) -> None:
    headers = callers.of_supabase(BODY) | {header: value}
    assert signed_by(headers, SUPABASE_KEYS) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text.replace("t=", "s="),
        lambda text: f"t=1,{text}",
        lambda text: text.replace("v1=", "v0="),
        lambda text: text[:-2],
        lambda text: text + "00",
        lambda text: f"{text},{text}",
        lambda text: text.replace("t=", "t= "),
        lambda text: "t=,v1=,,=",
    ],
)
def test_a_header_of_zitadels_that_is_not_right_lets_nobody_in(
    change: Callable[[str], str],
) -> None:
    headers = callers.of_zitadel(BODY)
    headers["ZITADEL-Signature"] = change(headers["ZITADEL-Signature"])
    secrets = [each.encode() for each in ZITADEL_SECRETS]
    assert signed_by(headers, secrets) is None


def test_zitadels_other_versions_are_passed_over() -> None:
    (text,) = callers.of_zitadel(BODY).values()
    secret = ZITADEL_SECRETS[0].encode()
    for header in (f"{text},v2=abc", f"v1=00,{text}", text.replace(",", ", ")):
        assert signed_by({"ZITADEL-Signature": header}, [secret]) == secret


@pytest.mark.parametrize("sent", ["authgear", "", "00" * 32, "g" * 64, "00" * 31])
def test_authgears_signature_is_64_hex_digits_of_the_body(sent: str) -> None:
    given = {"x-authgear-body-signature": sent}
    assert authgear.AUTHGEAR.signed_with(BODY, given.get, [b"s"], 0) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sent", "right"),
    [
        ("the-token", True),
        ("Bearer the-token", True),
        ("bearer  the-token", True),
        ("Bearer", False),
        ("", False),
        ("the-token,the-token", False),
        ("Basic the-token", False),
        ("the-toke", False),
        ("ümlaut", False),
        ("x" * 7000, False),
    ],
)
def test_logtos_token_travels_alone_or_behind_bearer(sent: str, right: bool) -> None:
    found = logto.LOGTO.signed_with(BODY, lambda _: sent, [b"other", b"the-token"], 0)
    assert (found == b"the-token") is right


def test_logtos_token_may_be_set_with_the_word_before_it() -> None:
    token = b"Bearer the-token"
    assert logto.LOGTO.signed_with(BODY, lambda _: "Bearer the-token", [token], 0) == token


def test_a_time_is_fresh_for_five_minutes_both_ways() -> None:
    assert is_fresh("1000", 1300.0)
    assert is_fresh("1300", 1000.0)
    assert not is_fresh("1000", 1300.5)
    assert not is_fresh("1301", 1000.0)


def test_supabases_phone_gets_its_plus_and_mfa_a_purpose_of_its_own() -> None:
    body = callers.from_supabase(NUMBER, "561166")
    wanted = supabase.SUPABASE.read(body)
    assert (wanted.phone, wanted.purpose) == (NUMBER, "login")
    assert wanted.repeat == body["metadata"]["uuid"]
    assert supabase.SUPABASE.read(with_value(body, "sms.sms_type", "mfa")).purpose == "mfa"
    assert supabase.SUPABASE.read(with_value(body, "sms.phone", NUMBER)).phone == NUMBER


def test_an_older_supabase_sends_no_metadata() -> None:
    body = callers.from_supabase(NUMBER, "561166")
    del body["metadata"]
    assert supabase.SUPABASE.read(body).repeat is None


def test_logtos_locale_is_that_of_the_page_then_what_was_asked_for() -> None:
    body = callers.from_logto(NUMBER, "561166")
    assert logto.LOGTO.read(body).locale == "en"
    assert logto.LOGTO.read(with_value(body, "payload.locale", ...)).locale == "hi-IN"
    assert logto.LOGTO.read(with_value(body, "payload.locale", "?")).locale == "hi-IN"


def test_a_link_is_no_code() -> None:
    for body, path in (
        (callers.from_logto(NUMBER, "561166"), "payload"),
        (callers.from_authgear(NUMBER, "561166"), "template_variables"),
    ):
        link = with_value(body, path, {"link": "https://example.com/123456"})
        read = logto.LOGTO.read if path == "payload" else authgear.AUTHGEAR.read
        with pytest.raises(InvalidRequest):
            read(link)


def test_authgears_and_zitadels_code_may_stand_in_the_text_alone() -> None:
    text = with_value(callers.from_authgear(NUMBER, "561166"), "template_variables", ...)
    assert authgear.AUTHGEAR.read(text).code == "561166"
    text = with_value(callers.from_zitadel(NUMBER, "561166"), "args", ...)
    assert zitadel.ZITADEL.read(text).code == "561166"


def test_a_code_with_letters_is_refused_and_not_guessed_from_the_text() -> None:
    """Zitadel's codes for phones and passwords have letters by default."""
    body = callers.from_zitadel(NUMBER, "A12345")
    with pytest.raises(InvalidRequest):
        zitadel.ZITADEL.read(body)


def test_zitadels_second_factor_has_its_code_under_another_name_too() -> None:
    body = with_value(callers.from_zitadel(NUMBER, "561166"), "args", {"oTP": "56116643"})
    assert zitadel.ZITADEL.read(body).code == "56116643"


@pytest.mark.parametrize(
    ("name", "purpose"),
    [
        ("SignIn", "sign-in"),
        ("UserPermissionValidation", "user-permission-validation"),
        ("BindMfa", "bind-mfa"),
        ("session.otp.sms.challenged", "session-otp-sms-challenged"),
        ("authenticate_secondary_oob_sms", "authenticate_secondary_oob_sms"),
        ("OrganizationUserPermissionValidation", "organization-user-permission-val"),
        ("..", "login"),
        ("", "login"),
        ("日本", "login"),
    ],
)
def test_a_purpose_is_made_of_whatever_they_call_it(name: str, purpose: str) -> None:
    assert fields.purpose(name) == purpose


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 2001:db8::7 ", "2001:db8::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("127.0.0.1", None),
        ("::1", None),
        ("10.1.2.3", None),
        ("172.31.0.1", None),
        ("192.168.1.1", None),
        ("100.64.0.1", None),
        ("169.254.1.1", None),
        ("fd00::1", None),
        ("fe80::1", None),
        ("::ffff:10.0.0.1", None),
        ("0.0.0.0", None),
        ("somewhere", None),
        ("", None),
    ],
)
def test_an_address_of_no_one_person_is_not_counted(written: str, address: str | None) -> None:
    assert fields.address(written) == address


def test_no_problem_quotes_what_was_sent() -> None:
    for path in ("sms.otp", "sms.phone"):
        body = with_value(callers.from_supabase(NUMBER, "561166"), path, ["canary"])
        with pytest.raises(InvalidRequest) as caught:
            supabase.SUPABASE.read(body)
        assert "canary" not in json.dumps(caught.value.details)
