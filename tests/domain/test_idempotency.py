"""The same request again: each thing that the first one may have led to."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from otp_service.domain import failures
from otp_service.domain.drafts import Earlier, Issued, RequestKey, SendOptions
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
    IdempotencyInProgress,
    IdempotencyKeyReused,
    OtpError,
    VerificationNotFound,
)
from otp_service.domain.failures import Failure
from otp_service.domain.idempotency import STILL_RUNNING, Repeats
from otp_service.domain.policy import Policy
from otp_service.domain.sending import Sending, Sent
from otp_service.domain.verification import Channel, Delivery, DeliveryStatus, Status
from tests.domain.fakes import FakeOutbox, FakeStore, dispatch_over
from tests.domain.samples import (
    CODE,
    CODES,
    DELIVERY,
    KEY,
    NOT_STORED,
    NOW,
    PHONE,
    POLICY,
    VERIFICATION,
)
from tests.fakes import FakeSender


class Scene:
    """A store that knows what the first request led to."""

    def __init__(self, *deliveries: Delivery, policy: Policy = POLICY) -> None:
        self.store = FakeStore()
        self.store.found = replace(VERIFICATION, deliveries=deliveries)
        self.sender = FakeSender()
        self.outbox = outbox = FakeOutbox()
        dispatch = dispatch_over(outbox, self.sender, policy=policy)
        self.repeats = Repeats(self.store, Sending(dispatch, outbox, CODES, policy))

    def found(self, **changes: object) -> Scene:
        """The verification has changed since."""
        assert self.store.found
        self.store.found = replace(self.store.found, **changes)  # type: ignore[arg-type]
        return self

    def repeat(self, key: RequestKey | None = KEY, first: str = "d1") -> Sent:
        return self.repeats.of_send(repeated(key, first))

    def error(
        self, key: RequestKey | None = KEY, fingerprint: str = KEY.fingerprints[0]
    ) -> OtpError:
        with pytest.raises(OtpError) as caught:
            self.repeats.of_send(repeated(key, "d1", fingerprint))
        return caught.value


def repeated(key: RequestKey | None, first: str, fingerprint: str = KEY.fingerprints[0]) -> Issued:
    draft = replace(NOT_STORED.draft, options=SendOptions(key=key))
    return replace(NOT_STORED, draft=draft, earlier=Earlier(VERIFICATION.id, first, fingerprint))


LATER = NOW + timedelta(seconds=100)
TAKEN = replace(DELIVERY, status=DeliveryStatus.SUBMITTED, submitted_at=NOW)
FAILED = replace(DELIVERY, status=DeliveryStatus.FAILED, error_code="not_on_whatsapp", reason="No")
SMS = replace(TAKEN, id="d2", channel=Channel.SMS)


# --- whether it is the same ---


def test_another_request_may_not_use_the_same_key() -> None:
    error = Scene(TAKEN).error(fingerprint="another-print")
    assert (type(error), error.phone) == (IdempotencyKeyReused, PHONE)


def test_a_request_without_its_key_is_not_the_same() -> None:
    assert type(Scene(TAKEN).error(key=None)) is IdempotencyKeyReused


def test_a_request_is_known_again_after_the_secret_has_changed() -> None:
    old = KEY.fingerprints[1]
    assert Scene(TAKEN).repeats.of_send(repeated(KEY, "d1", old)).verification.repeated


def test_nothing_is_told_of_a_verification_that_is_gone() -> None:
    scene = Scene(TAKEN)
    scene.store.found = None
    assert type(scene.error()) is VerificationNotFound


def test_the_verification_is_looked_for_as_the_client_s_own() -> None:
    scene = Scene(TAKEN)
    scene.repeat()
    assert scene.store.asked == [(VERIFICATION.client, VERIFICATION.id, False)]


# --- the first one went well ---


def test_a_repeat_sends_nothing() -> None:
    scene = Scene(TAKEN)
    scene.repeat()
    assert scene.sender.messages == []


def test_a_repeat_is_answered_as_the_first_was_whatever_has_become_of_it_since() -> None:
    expires_at = NOW + timedelta(seconds=200)
    message = replace(TAKEN, expires_at=expires_at)
    scene = Scene(message).found(status=Status.VERIFIED, as_of=LATER)
    told = scene.repeat().verification
    assert (told.status, told.expires_in, told.repeated) == (Status.PENDING, 200, True)


def test_a_code_without_an_end_of_its_own_ends_with_its_verification() -> None:
    assert Scene(TAKEN).repeat().verification.expires_at == VERIFICATION.expires_at


def test_a_repeat_tells_of_the_quota_as_it_is_now() -> None:
    assert Scene(TAKEN).repeat().quota == NOT_STORED.quota


def test_the_channel_is_the_one_that_carried_the_first_request_s_code() -> None:
    assert Scene(FAILED, SMS).repeat().verification.channel is Channel.SMS


def test_what_came_after_the_message_that_was_taken_changes_nothing() -> None:
    assert Scene(TAKEN, SMS).repeat().verification.channel is Channel.WHATSAPP


def test_the_messages_of_another_generation_are_not_this_request_s() -> None:
    resent = replace(SMS, generation=2)
    assert Scene(TAKEN, resent).repeat().verification.channel is Channel.WHATSAPP
    assert Scene(TAKEN, resent).repeat(first="d2").verification.channel is Channel.SMS


def test_a_send_in_the_background_went_well_whatever_became_of_the_message() -> None:
    assert Scene(replace(FAILED, background=True)).repeat().verification.repeated


def test_no_answer_shows_the_code() -> None:
    assert Scene(TAKEN).repeat().exposed_code is None


@pytest.mark.parametrize("generation", [1, 2])
def test_a_sandbox_shows_the_code_of_that_request_again(generation: int) -> None:
    message = replace(TAKEN, generation=generation)
    sandbox = Scene(message, policy=replace(POLICY, expose_code=True)).found(generation=2)
    code = CODES.make(PHONE, VERIFICATION.id, generation, CODES.secret_id)
    assert sandbox.repeat().exposed_code == code
    assert (code == CODE) is (generation == 1)


# --- the first one failed ---


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (failures.NOT_ON_WHATSAPP, DeliveryFailed),
        (failures.RATE_LIMITED, DeliveryUnavailable),
        (failures.UNCONFIRMED, DeliveryUnconfirmed),
    ],
)
def test_the_error_is_the_first_one_s(failure: Failure, kind: type[DeliveryError]) -> None:
    error = Scene(replace(FAILED, error_code=failure.code)).error()
    assert type(error) is kind
    assert error.details == {"failure": failure.code, "reason": "No"}


def test_the_error_tells_whose_message_it_was_and_that_it_is_told_again() -> None:
    error = Scene(FAILED).error()
    assert isinstance(error, DeliveryError)
    assert (error.phone, error.verification_id) == (PHONE, VERIFICATION.id)
    assert error.repeated


def test_the_error_is_that_of_the_last_message_with_the_code() -> None:
    last = replace(FAILED, id="d2", error_code="barred", reason="Barred")
    assert Scene(FAILED, last).error().details["failure"] == "barred"


def test_a_failure_without_a_reason_is_explained() -> None:
    error = Scene(replace(FAILED, reason=None)).error()
    assert error.details["reason"] == failures.NOT_ON_WHATSAPP.explanation


def test_a_failure_that_is_not_known_here_was_a_refusal() -> None:
    error = Scene(replace(FAILED, error_code="a-code-of-a-later-release")).error()
    assert error.details["failure"] == "refused"


# --- the first one has not told ---


@pytest.mark.parametrize(
    ("age", "kind"),
    [
        (timedelta(0), IdempotencyInProgress),
        (STILL_RUNNING - timedelta(microseconds=1), IdempotencyInProgress),
        (STILL_RUNNING, DeliveryUnconfirmed),
    ],
)
def test_a_request_runs_for_a_while_and_then_it_is_unclear_what_it_did(
    age: timedelta, kind: type[OtpError]
) -> None:
    assert type(Scene(DELIVERY).found(as_of=NOW + age).error()) is kind


def test_a_request_that_runs_is_worth_asking_for_in_a_second() -> None:
    error = Scene(DELIVERY).error()
    assert (error.phone, error.retry_after, error.repeated) == (PHONE, 1, False)


def test_a_request_that_ended_unheard_says_so() -> None:
    error = Scene(DELIVERY).found(as_of=LATER).error()
    assert error.details["reason"] == "the process that sent it ended before it could tell"
    assert error.repeated


def test_a_failure_is_told_at_once_however_young() -> None:
    assert type(Scene(FAILED).error()) is DeliveryFailed


def test_what_ended_unheard_is_sent_again_by_a_worker_while_its_code_lives() -> None:
    scene = Scene(DELIVERY).found(as_of=LATER)
    assert type(scene.error()) is DeliveryUnconfirmed
    assert scene.outbox.became == [("handed over", VERIFICATION.id, DELIVERY.id)]


@pytest.mark.parametrize(
    "scene",
    [
        Scene(DELIVERY),
        Scene(FAILED).found(as_of=LATER),
        Scene(TAKEN).found(as_of=LATER),
        Scene(DELIVERY).found(as_of=LATER, status=Status.VERIFIED),
        Scene(DELIVERY).found(as_of=LATER, status=Status.EXPIRED),
    ],
    ids=["it runs", "it failed", "it was sent", "its code was used", "its code has expired"],
)
def test_nothing_else_is_sent_again(scene: Scene) -> None:
    with suppress(OtpError):
        scene.repeat()
    assert not scene.outbox.became
