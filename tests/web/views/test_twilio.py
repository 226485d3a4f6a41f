"""A program written for Twilio Verify: its package, over real sockets, with another base URL."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from tests.conftest import new_key, serving
from tests.storage.helpers import wrong
from tests.web.twilio import ACCOUNT, SERVICE, Twilio, new_phone, refused, sandbox


@pytest.fixture(scope="module")
def twilio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twilio]:
    """One service for all, each with a phone of its own; with keys, and nobody gets an SMS."""
    settings = {
        "API_KEYS": "required",
        "OTP_ALLOWED_COUNTRIES": "IN",
        "OTP_CLIENT_REQUESTS": "off",
    }
    folder = tmp_path_factory.mktemp("twilio")
    with sandbox(folder, **settings) as app, serving(app) as server:
        yield Twilio(app, server.url, new_key(app, "shop", "otp"))


@pytest.fixture
def phone() -> str:
    return new_phone()


def test_a_right_code_is_approved_and_is_used_up_then(twilio: Twilio, phone: str) -> None:
    service = twilio.service()
    begun = service.verifications.create(to=phone, channel="sms")
    assert (begun.status, begun.valid, begun.to) == ("pending", False, phone)
    code = twilio.code(phone)
    checked = service.verification_checks.create(to=phone, code=code)
    assert (checked.sid, checked.status, checked.valid) == (begun.sid, "approved", True)
    again = service.verification_checks.create
    assert refused(lambda: again(to=phone, code=code)) == (404, 20404)
    assert refused(lambda: again(verification_sid=begun.sid, code=code)) == (404, 20404)


def test_a_wrong_code_leaves_it_pending_until_the_fifth(twilio: Twilio, phone: str) -> None:
    service = twilio.service()
    begun = service.verifications.create(to=phone, channel="whatsapp")
    code = twilio.code(phone)
    for _ in range(5):
        checked = service.verification_checks.create(verification_sid=begun.sid, code=wrong(code))
        told = (checked.sid, checked.to, checked.status, checked.valid)
        assert told == (begun.sid, phone, "pending", False)
    for by in ({"to": phone}, {"verification_sid": begun.sid}):
        too_late = refused(lambda by=by: service.verification_checks.create(**by, code=code))  # type: ignore[misc]
        assert too_late == (429, 60202)
    assert service.verifications(begun.sid).fetch().status == "max_attempts_reached"


def test_an_expired_code_is_not_found(twilio: Twilio, phone: str) -> None:
    service = twilio.service()
    begun = service.verifications.create(to=phone, channel="sms")
    code = twilio.code(phone)
    twilio.pass_time(181)
    check = service.verification_checks.create
    assert refused(lambda: check(to=phone, code=code)) == (404, 20404)
    assert service.verifications(begun.sid).fetch().status == "expired"


def test_a_canceled_code_is_not_found(twilio: Twilio, phone: str) -> None:
    service = twilio.service()
    begun = service.verifications.create(to=phone, channel="sms")
    for _ in range(2):
        assert service.verifications(begun.sid).update(status="canceled").status == "canceled"
    check, code = service.verification_checks.create, twilio.code(phone)
    assert refused(lambda: check(to=phone, code=code)) == (404, 20404)


def test_what_is_pending_is_canceled_by_its_number_and_what_is_approved_is_not(
    twilio: Twilio, phone: str
) -> None:
    service = twilio.service()
    service.verifications.create(to=phone, channel="sms")
    assert service.verifications(phone).update(status="canceled").status == "canceled"
    begun = service.verifications.create(to=phone, channel="sms")
    service.verification_checks.create(to=phone, code=twilio.code(phone))
    assert refused(lambda: service.verifications(begun.sid).update(status="canceled")) == (
        404,
        20404,
    )


def test_it_is_fetched_by_its_sid_and_by_its_number(twilio: Twilio, phone: str) -> None:
    service = twilio.service()
    begun = service.verifications.create(to=phone, channel="sms")
    for name in (begun.sid, begun.sid.upper(), phone, phone[1:]):
        found = service.verifications(name).fetch()
        assert (found.sid, found.to, found.status) == (begun.sid, phone, "pending")
    service.verification_checks.create(to=phone, code=twilio.code(phone))
    assert service.verifications(phone).fetch().status == "approved"
    newer = service.verifications.create(to=phone, channel="sms")
    assert service.verifications(phone).fetch().sid == newer.sid


def test_every_field_is_as_a_client_reads_it(twilio: Twilio, phone: str) -> None:
    found = twilio.service().verifications.create(to=phone, channel="sms")
    assert (found.service_sid, found.account_sid) == (SERVICE, ACCOUNT)
    assert found.channel == "whatsapp"  # over what there is
    assert (found.lookup, found.amount, found.payee, found.sna) == ({}, None, None, None)
    for time in (found.date_created, found.date_updated):
        assert isinstance(time, datetime)
        assert abs((datetime.now(timezone.utc) - time).total_seconds()) < 60
    (attempt,) = found.send_code_attempts
    assert attempt["channel"] == "whatsapp"
    assert attempt["attempt_sid"].startswith("VL")
    assert len(attempt["attempt_sid"]) == len(found.sid) == 34
    path = f"/twilio/v2/Services/{SERVICE}/Verifications/{found.sid}"
    assert found.url == f"{twilio.url}{path}"


def test_a_second_start_sends_another_code_of_the_same_verification(
    twilio: Twilio, phone: str
) -> None:
    service = twilio.service()
    first = service.verifications.create(to=phone, channel="sms")
    old = twilio.code(phone)
    second = service.verifications.create(to=phone, channel="sms")
    assert second.sid == first.sid
    assert len(second.send_code_attempts) == 2
    new = twilio.code(phone)
    if old != new:
        assert not service.verification_checks.create(to=phone, code=old).valid
    assert service.verification_checks.create(to=phone, code=new).valid


def test_a_code_of_ones_own_is_sent_and_checked_as_it_is(twilio: Twilio, phone: str) -> None:
    service = twilio.service()
    for own in ("0417", "9073512846"):
        service.verifications.create(to=phone, channel="sms", custom_code=own)
        assert twilio.code(phone) == own
        assert service.verification_checks.create(to=phone, code=own).status == "approved"


def test_each_service_has_verifications_of_its_own(twilio: Twilio, phone: str) -> None:
    one, other = twilio.service("VA" + "A1" * 16), twilio.service("VA" + "b2" * 16)
    begun = one.verifications.create(to=phone, channel="sms")
    assert begun.service_sid == "VA" + "A1" * 16
    code = twilio.code(phone)
    assert refused(lambda: other.verification_checks.create(to=phone, code=code)) == (404, 20404)
    for name in (begun.sid, phone):
        assert refused(lambda name=name: other.verifications(name).fetch()) == (404, 20404)  # type: ignore[misc]
    assert one.verification_checks.create(to=phone, code=code).valid


def test_what_is_wrong_is_told_by_its_number(twilio: Twilio, phone: str) -> None:
    service = twilio.service()
    start = service.verifications.create
    assert refused(lambda: start(to="+1234", channel="sms")) == (400, 60200)
    assert refused(lambda: start(to=phone, channel="call")) == (400, 60200)
    assert refused(lambda: start(to=phone, channel="sms", custom_code="123")) == (400, 60200)
    assert refused(lambda: start(to=phone, channel="sms", device_ip="nowhere")) == (400, 60200)
    assert refused(lambda: start(to="+4915123456789", channel="sms")) == (403, 60605)
    check = service.verification_checks.create
    assert refused(lambda: check(to=phone, code="123456")) == (404, 20404)
    assert refused(lambda: check(to=phone, code="123")) == (400, 60200)
    assert refused(lambda: check(code="123456")) == (400, 60200)
    begun = start(to=phone, channel="sms")
    approve = service.verifications(begun.sid).update
    assert refused(lambda: approve(status="approved")) == (400, 60200)
    for _ in range(4):
        start(to=phone, channel="sms")
    assert refused(lambda: start(to=phone, channel="sms")) == (429, 60203)


def test_a_wrong_key_is_told_as_a_wrong_token_is(twilio: Twilio, phone: str) -> None:
    stranger = Twilio(twilio.app, twilio.url, "not-a-key")
    start = stranger.service().verifications.create
    assert refused(lambda: start(to=phone, channel="sms")) == (401, 20003)
