"""The front door: which answer of the store leads to which answer of ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from otp_service.domain.checks import CheckResult, Verdict
from otp_service.domain.drafts import Earlier, Issued, SendOptions
from otp_service.domain.errors import (
    CodeAlreadySent,
    HomeUnreachable,
    InvalidPhoneNumber,
    OtpError,
    PhoneLocked,
    SendLimitExceeded,
    StorageUnavailable,
)
from otp_service.domain.ports import PhoneQuery
from otp_service.domain.quotas import Block, Lock
from otp_service.domain.service import OtpService
from otp_service.domain.verification import DeliveryStatus
from tests.domain.fakes import FakeStore
from tests.domain.samples import (
    CODE,
    CODES,
    DELIVERY,
    KEY,
    NOT_STORED,
    NOW,
    PERSON,
    PHONE,
    STORED,
    TEN_MINUTES,
    VERIFICATION,
)
from tests.fakes import FakeSender

TYPED = replace(PERSON, phone=" 91 98765-43210 ")
NO_NUMBER = replace(PERSON, phone="nobody")


# --- a phone as somebody typed it ---


def test_a_send_is_for_the_phone_that_was_meant(service: OtpService, store: FakeStore) -> None:
    service.send(TYPED)
    assert store.drafts[0].person == PERSON


def test_a_resend_looks_for_the_phone_that_was_meant(service: OtpService, store: FakeStore) -> None:
    service.resend(TYPED)
    assert (store.looked_for, store.drafts[0].person) == ([PERSON], PERSON)


def test_a_check_is_of_the_phone_that_was_meant(service: OtpService, store: FakeStore) -> None:
    store.result = CheckResult(Verdict.RIGHT, VERIFICATION)
    service.verify(TYPED, CODE)
    assert (store.checks[0].person, store.checks[0].tags) == (PERSON, CODES.tags(PERSON, CODE))


def test_a_list_is_of_the_phone_that_was_meant(service: OtpService, store: FakeStore) -> None:
    service.of_phone("shop", TYPED.phone, 5, support=True)
    digest = CODES.pseudonyms("phone", PHONE)[0]
    assert store.asked == [PhoneQuery("shop", PHONE, digest, 5, support=True)]


def test_nothing_is_asked_of_the_store_for_what_is_no_number(
    service: OtpService, store: FakeStore
) -> None:
    for ask in (service.send, service.resend, lambda person: service.verify(person, CODE)):
        with pytest.raises(InvalidPhoneNumber):
            ask(NO_NUMBER)
    assert (store.drafts, store.looked_for, store.checks) == ([], [], [])


# --- send ---


LIVE = replace(STORED, outgoing=None)
BLOCK = Block(TEN_MINUTES, 60, NOW + timedelta(seconds=60))
LOCKED = {"limit": "phone_sends", "allowed": 5, "per_seconds": 600, "resets_at": BLOCK.ends_at}


def test_a_new_verification_s_code_is_sent(service: OtpService, sender: FakeSender) -> None:
    assert service.send(PERSON).verification == VERIFICATION
    assert sender.last_code == CODE


def test_while_a_code_is_live_no_other_is_sent(
    service: OtpService, store: FakeStore, sender: FakeSender
) -> None:
    store.issues, store.last = [LIVE], DELIVERY
    with pytest.raises(CodeAlreadySent) as caught:
        service.send(PERSON)
    told = caught.value
    assert (told.verification, told.quota, told.delivery) == (VERIFICATION, LIVE.quota, DELIVERY)
    assert sender.messages == []


def test_a_live_code_is_told_of_even_if_its_message_can_t_be_looked_up(
    service: OtpService, store: FakeStore
) -> None:
    store.issues, store.last = [LIVE], StorageUnavailable("away")
    with pytest.raises(CodeAlreadySent) as caught:
        service.send(PERSON)
    assert caught.value.delivery is None


def test_a_live_code_comes_before_a_send_limit(service: OtpService, store: FakeStore) -> None:
    store.issues = [replace(LIVE, limit=TEN_MINUTES)]
    with pytest.raises(CodeAlreadySent):
        service.send(PERSON)


@pytest.mark.parametrize(("too_many", "error"), [(True, PhoneLocked), (False, CodeAlreadySent)])
def test_only_too_many_wrong_guesses_come_before_a_live_code(
    service: OtpService, store: FakeStore, too_many: bool, error: type[OtpError]
) -> None:
    store.issues = [replace(LIVE, lock=Lock(BLOCK, too_many))]
    with pytest.raises(error):
        service.send(PERSON)


def test_a_locked_phone_is_told_until_when(service: OtpService, store: FakeStore) -> None:
    store.issues = [replace(NOT_STORED, lock=Lock(BLOCK, too_many=True))]
    with pytest.raises(PhoneLocked) as caught:
        service.send(PERSON)
    error = caught.value
    assert (error.phone, error.retry_after, error.details) == (PHONE, 60, LOCKED)


@pytest.mark.parametrize(("too_many", "error"), [(True, PhoneLocked), (False, SendLimitExceeded)])
def test_only_too_many_wrong_guesses_come_before_a_send_limit(
    service: OtpService, store: FakeStore, too_many: bool, error: type[OtpError]
) -> None:
    store.issues = [replace(NOT_STORED, limit=TEN_MINUTES, lock=Lock(BLOCK, too_many))]
    with pytest.raises(error):
        service.send(PERSON)


def test_a_send_limit_keeps_a_new_one_from_being_sent(
    service: OtpService, store: FakeStore
) -> None:
    store.issues = [replace(NOT_STORED, limit=TEN_MINUTES)]
    with pytest.raises(SendLimitExceeded):
        service.send(PERSON)


# --- resend ---


def test_a_resend_is_the_next_generation_of_what_is_live(
    service: OtpService, store: FakeStore
) -> None:
    store.lives = [replace(VERIFICATION, generation=4)]
    service.resend(PERSON)
    assert store.reissued == [(VERIFICATION.id, 5)]


def test_a_resend_without_anything_live_is_a_send(
    service: OtpService, store: FakeStore, sender: FakeSender
) -> None:
    service.resend(PERSON)
    assert (store.reissued, len(sender.messages)) == ([], 1)


def test_a_resend_that_was_overtaken_looks_again(
    service: OtpService, store: FakeStore, sender: FakeSender
) -> None:
    store.lives = [VERIFICATION, replace(VERIFICATION, generation=2)]
    store.issues = [NOT_STORED, STORED]
    service.resend(PERSON)
    assert store.reissued == [(VERIFICATION.id, 2), (VERIFICATION.id, 3)]
    assert len(sender.messages) == 1


def test_a_resend_of_what_was_verified_meanwhile_is_a_send(
    service: OtpService, store: FakeStore
) -> None:
    store.lives, store.issues = [VERIFICATION, None], [NOT_STORED, STORED]
    service.resend(PERSON)
    assert (len(store.reissued), len(store.drafts)) == (1, 2)


@pytest.mark.parametrize("answer", [NOT_STORED, HomeUnreachable("lost")])
def test_a_resend_gives_up_after_three_tries(
    service: OtpService, store: FakeStore, answer: Issued | StorageUnavailable
) -> None:
    store.lives, store.issues = [VERIFICATION], [answer]
    with pytest.raises(StorageUnavailable) as caught:
        service.resend(PERSON)
    assert (len(store.drafts), caught.value.retry_after) == (3, 1)


def test_a_home_that_is_lost_between_look_and_resend_is_not_the_end(
    service: OtpService, store: FakeStore, sender: FakeSender
) -> None:
    store.lives, store.issues = [VERIFICATION, None], [HomeUnreachable("lost"), STORED]
    service.resend(PERSON)
    assert len(sender.messages) == 1


def test_another_trouble_of_the_store_s_is_told_at_once(
    service: OtpService, store: FakeStore
) -> None:
    store.issues = [away := StorageUnavailable("deadlock")]
    with pytest.raises(StorageUnavailable) as caught:
        service.resend(PERSON)
    assert (caught.value, len(store.drafts)) == (away, 1)


def test_a_resend_that_a_limit_forbids_is_not_tried_again(
    service: OtpService, store: FakeStore
) -> None:
    store.lives, store.issues = [VERIFICATION], [replace(LIVE, limit=TEN_MINUTES)]
    with pytest.raises(SendLimitExceeded):
        service.resend(PERSON)
    assert len(store.drafts) == 1


# --- the same request again ---


@pytest.mark.parametrize("again", ["send", "resend"])
def test_a_request_that_was_made_before_is_answered_as_it_was(
    service: OtpService, store: FakeStore, sender: FakeSender, again: str
) -> None:
    taken = replace(DELIVERY, status=DeliveryStatus.SUBMITTED, submitted_at=NOW)
    store.found = replace(VERIFICATION, deliveries=(taken,))
    earlier = Earlier(VERIFICATION.id, taken.id, KEY.fingerprints[0])
    store.issues = [replace(LIVE, earlier=earlier)]
    sent = getattr(service, again)(PERSON, SendOptions(key=KEY))
    assert sent.verification.repeated
    assert sender.messages == []
