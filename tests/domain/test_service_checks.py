"""The front door: checks of codes, and what is looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from otp_service.domain.checks import CheckResult, Verdict
from otp_service.domain.errors import (
    CodeIncorrect,
    CodeNotFound,
    IdempotencyKeyReused,
    OtpError,
    PhoneLocked,
    TooManyAttempts,
    VerificationNotFound,
)
from otp_service.domain.ports import StoredMessage
from otp_service.domain.quotas import Block
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Verification
from tests.domain.fakes import FakeStore
from tests.domain.samples import (
    CODE,
    CODES,
    DELIVERY,
    KEY,
    NOW,
    PERSON,
    PHONE,
    TEN_MINUTES,
    TESTER,
    VERIFICATION,
)

Look = Callable[[OtpService, str, str], Verification]
MAC = CODES.mac(PERSON, VERIFICATION.id, 1)


def refused(service: OtpService) -> OtpError:
    with pytest.raises(OtpError) as caught:
        service.verify(PERSON, CODE)
    return caught.value


# --- what the store is asked ---


def test_a_check_names_all_that_it_is_judged_by(service: OtpService, store: FakeStore) -> None:
    store.result = CheckResult(Verdict.RIGHT, VERIFICATION)
    service.verify(PERSON, CODE, "p01", KEY)
    (check,) = store.checks
    assert (check.verification_id, check.key, check.exempt) == ("p01", KEY, False)
    assert check.phone_digest == CODES.pseudonyms("phone", PHONE)[0]


def test_a_code_of_any_secret_may_be_right(service: OtpService, store: FakeStore) -> None:
    store.result = CheckResult(Verdict.RIGHT, VERIFICATION)
    service.verify(PERSON, CODE)
    assert store.checks[0].tags == CODES.tags(PERSON, CODE)
    assert len(store.checks[0].tags) == len(CODES.secrets)


def test_a_check_does_not_show_what_it_would_be_guessed_by(
    service: OtpService, store: FakeStore
) -> None:
    store.result = CheckResult(Verdict.RIGHT, VERIFICATION)
    service.verify(PERSON, CODE)
    assert not [tag for tag in CODES.tags(PERSON, CODE) if tag in repr(store.checks)]


def test_a_test_number_s_check_is_exempt(service: OtpService, store: FakeStore) -> None:
    store.result = CheckResult(Verdict.RIGHT, VERIFICATION)
    service.verify(TESTER, "424242")
    assert store.checks[0].exempt


# --- what it judged ---


def test_a_right_code_is_answered_with_its_verification(
    service: OtpService, store: FakeStore
) -> None:
    store.result = CheckResult(Verdict.RIGHT, VERIFICATION)
    assert service.verify(PERSON, CODE) is VERIFICATION


@pytest.mark.parametrize("repeated", [True, False])
def test_a_wrong_code_tells_how_many_tries_are_left(
    service: OtpService, store: FakeStore, repeated: bool
) -> None:
    found = replace(VERIFICATION, repeated=repeated)
    store.result = CheckResult(Verdict.WRONG, found, attempts_remaining=3)
    error = refused(service)
    assert (type(error), error.phone, error.details) == (
        CodeIncorrect,
        PHONE,
        {"attempts_remaining": 3},
    )
    assert error.repeated is repeated


def test_a_code_that_is_used_up_tells_until_when(service: OtpService, store: FakeStore) -> None:
    later = replace(VERIFICATION, as_of=NOW + timedelta(seconds=100))
    store.result = CheckResult(Verdict.USED_UP, later)
    error = refused(service)
    assert (type(error), error.phone, error.retry_after) == (TooManyAttempts, PHONE, 200)
    assert error.details == {
        "limit": "verification_attempts",
        "allowed": 5,
        "resets_at": VERIFICATION.expires_at,
    }


def test_a_locked_phone_s_code_is_not_judged(service: OtpService, store: FakeStore) -> None:
    block = Block(TEN_MINUTES, 60)
    store.result = CheckResult(Verdict.LOCKED, VERIFICATION, block)
    error = refused(service)
    assert (type(error), error.phone, error.retry_after) == (PhoneLocked, PHONE, 60)
    assert error.details == {"limit": "phone_sends", "allowed": 5, "per_seconds": 600}


def test_a_code_of_nothing_is_not_found(service: OtpService, store: FakeStore) -> None:
    store.result = CheckResult(Verdict.MISSING)
    error = refused(service)
    assert (type(error), error.phone) == (CodeNotFound, PHONE)


def test_a_key_may_not_be_used_for_another_check(service: OtpService, store: FakeStore) -> None:
    store.result = CheckResult(Verdict.KEY_REUSED)
    error = refused(service)
    assert (type(error), error.phone) == (IdempotencyKeyReused, PHONE)


def test_nothing_but_a_right_code_is_answered_with_a_verification(
    service: OtpService, store: FakeStore
) -> None:
    block = Block(TEN_MINUTES, 60)
    for verdict in set(Verdict) - {Verdict.RIGHT}:
        found = None if verdict in (Verdict.MISSING, Verdict.KEY_REUSED) else VERIFICATION
        store.result = CheckResult(verdict, found, block if verdict is Verdict.LOCKED else None)
        assert refused(service)


# --- what is looked up ---


def test_a_verification_is_looked_up_for_its_client(service: OtpService, store: FakeStore) -> None:
    store.found = VERIFICATION
    assert service.get("shop", "p01") is VERIFICATION
    assert store.asked == [("shop", "p01", False)]


def test_support_looks_up_anyone_s(service: OtpService, store: FakeStore) -> None:
    store.found = VERIFICATION
    service.get("desk", "p01", support=True)
    assert store.asked == [("desk", "p01", True)]


@pytest.mark.parametrize("look", [OtpService.get, OtpService.cancel])
def test_what_the_client_does_not_have_is_not_found(service: OtpService, look: Look) -> None:
    with pytest.raises(VerificationNotFound):
        look(service, "shop", "p01")


def test_what_is_canceled_is_answered(service: OtpService, store: FakeStore) -> None:
    store.found = VERIFICATION
    assert service.cancel("shop", "p01") is VERIFICATION
    assert store.asked == [("shop", "p01")]


# --- what stayed on this machine ---


def test_the_inbox_shows_what_stayed_here_with_its_code(
    service: OtpService, store: FakeStore
) -> None:
    message = StoredMessage(VERIFICATION, DELIVERY, CODES.secret_id, NOW, replaced=False, mac=MAC)
    store.kept = [message]
    assert service.inbox(7) == [(message, CODE)]
    assert store.asked == [("sandbox", 7)]


def test_a_message_s_code_is_lost_with_its_secret(service: OtpService, store: FakeStore) -> None:
    message = StoredMessage(VERIFICATION, DELIVERY, "retired0", NOW, replaced=False, mac=MAC)
    store.kept = [message]
    assert service.inbox() == [(message, "")]


def test_a_code_that_is_not_what_was_sent_is_not_shown(
    service: OtpService, store: FakeStore
) -> None:
    message = StoredMessage(VERIFICATION, DELIVERY, CODES.secret_id, NOW, replaced=False, mac="")
    store.kept = [message]
    assert service.inbox() == [(message, "")]


# --- idempotency keys ---


def test_two_clients_may_use_the_same_key(service: OtpService) -> None:
    one, other = service.request_key("shop", "1", "a body"), service.request_key("bank", "1", "")
    assert one.idempotency_key != other.idempotency_key


def test_a_request_is_kept_as_a_pseudonym_under_each_secret(service: OtpService) -> None:
    key = service.request_key("shop", "a-key", "a body with 048213")
    assert tuple(key.fingerprints) == CODES.pseudonyms("request", "a body with 048213")
    assert "a-key" not in repr(key)
