"""What is done about a message that was stored, and why one was not."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from otp_service.domain import failures
from otp_service.domain.drafts import Issued, SendOptions
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
    DestinationNotAllowed,
    OtpError,
    PhoneLocked,
    SendLimitExceeded,
    StorageUnavailable,
    delivery_error,
)
from otp_service.domain.limits import Limit
from otp_service.domain.messages import Outgoing
from otp_service.domain.policy import Policy
from otp_service.domain.quotas import Block, Lock, Quota
from otp_service.domain.sending import Sending
from otp_service.domain.verification import Channel
from tests.domain.fakes import FakeOutbox, dispatch_over
from tests.domain.samples import (
    CODE,
    CODES,
    MESSAGE,
    NOT_STORED,
    NOW,
    PHONE,
    POLICY,
    STORED,
    TEN_MINUTES,
    VERIFICATION,
)
from tests.fakes import FakeSender


class Scene:
    """A sending, and all that it was given."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.outbox = FakeOutbox()
        self.whatsapp, self.sms = FakeSender(), FakeSender(Channel.SMS, "fake-sms")
        self.wakes = 0
        self.suspicions: list[tuple[str, str]] = []
        self.sending = Sending(
            dispatch_over(self.outbox, self.whatsapp, self.sms, policy=policy),
            self.outbox,
            CODES,
            policy,
            wake=self._wake,
            suspected=lambda rule, country: self.suspicions.append((rule, country)),
        )

    def _wake(self, message: Outgoing) -> None:
        self.wakes += 1

    def refuses(self, issued: Issued) -> OtpError:
        with pytest.raises(OtpError) as caught:
            self.sending.deliver(issued)
        return caught.value


@pytest.fixture
def scene() -> Scene:
    return Scene()


def background(issued: Issued) -> Issued:
    return replace(issued, draft=replace(issued.draft, options=SendOptions(background=True)))


AUTO = replace(STORED, outgoing=replace(MESSAGE, auto=True))


# --- a message that is stored ---


def test_a_stored_message_is_sent_with_its_code(scene: Scene) -> None:
    scene.sending.deliver(STORED)
    (sent,) = scene.whatsapp.messages
    assert (sent.phone, sent.code, sent.delivery_id) == (PHONE, CODE, MESSAGE.delivery_id)


def test_who_waits_is_told_of_the_verification_and_the_quota(scene: Scene) -> None:
    sent = scene.sending.deliver(STORED)
    assert (sent.verification, sent.quota) == (VERIFICATION, STORED.quota)


def test_the_channel_is_the_one_that_carried_the_message(scene: Scene) -> None:
    scene.whatsapp.failure = delivery_error(failures.NOT_ON_WHATSAPP)
    assert scene.sending.deliver(AUTO).verification.channel is Channel.SMS


def test_nobody_is_woken_for_a_message_that_its_caller_waits_for(scene: Scene) -> None:
    scene.sending.deliver(STORED)
    assert scene.wakes == 0


def test_a_send_in_the_background_only_wakes_the_worker(scene: Scene) -> None:
    scene.sending.deliver(background(STORED))
    assert (scene.wakes, scene.whatsapp.messages, scene.outbox.became) == (1, [], [])


def test_a_send_in_the_background_is_told_of_as_it_was_stored(scene: Scene) -> None:
    assert scene.sending.deliver(background(STORED)).verification == VERIFICATION


# --- the code in answers ---


def test_no_answer_shows_the_code(scene: Scene) -> None:
    assert scene.sending.deliver(STORED).exposed_code is None


def test_an_answer_shows_the_code_where_the_policy_says_so() -> None:
    sandbox = Scene(replace(POLICY, expose_code=True))
    assert sandbox.sending.deliver(STORED).exposed_code == CODE


def test_the_code_that_is_shown_is_that_of_the_message_s_generation() -> None:
    sandbox = Scene(replace(POLICY, expose_code=True))
    resent = replace(STORED, generation=2, outgoing=replace(MESSAGE, generation=2))
    second = CODES.make(PHONE, VERIFICATION.id, 2, CODES.secret_id)
    assert sandbox.sending.deliver(resent).exposed_code == second


def test_a_send_does_not_show_its_code_in_a_log() -> None:
    sandbox = Scene(replace(POLICY, expose_code=True))
    assert CODE not in repr(sandbox.sending.deliver(STORED))


# --- a message that fails ---


@pytest.mark.parametrize(("issued", "due_in"), [(STORED, None), (AUTO, POLICY.sms_after)])
def test_an_unclear_answer_is_postponed_until_the_sms_if_one_may_follow(
    scene: Scene, issued: Issued, due_in: int | None
) -> None:
    scene.whatsapp.failure = error = DeliveryUnconfirmed("ReadTimeout")
    assert scene.refuses(issued) is error
    assert scene.outbox.became == [("postponed", MESSAGE.delivery_id, error, due_in)]


@pytest.mark.parametrize("kind", [DeliveryFailed, DeliveryUnavailable])
def test_what_was_not_taken_is_refused(scene: Scene, kind: type[DeliveryError]) -> None:
    scene.whatsapp.failure = error = kind("no")
    assert scene.refuses(STORED) is error
    assert scene.outbox.became == [("refused", MESSAGE.delivery_id, error)]


def test_what_is_recorded_is_the_last_message_that_failed(scene: Scene) -> None:
    scene.whatsapp.failure = delivery_error(failures.NOT_ON_WHATSAPP)
    scene.sms.failure = error = delivery_error(failures.BARRED)
    assert scene.refuses(AUTO) is error
    assert scene.outbox.became[-1] == ("refused", f"{MESSAGE.delivery_id}+", error)


def test_a_failure_tells_whose_message_it_was(scene: Scene) -> None:
    scene.whatsapp.failure = error = DeliveryFailed("no")
    scene.refuses(STORED)
    assert (error.phone, error.verification_id) == (PHONE, VERIFICATION.id)


@pytest.mark.parametrize("kind", [DeliveryFailed, DeliveryUnconfirmed])
def test_a_failure_is_told_even_if_it_can_t_be_recorded(
    scene: Scene, kind: type[DeliveryError], caplog: pytest.LogCaptureFixture
) -> None:
    scene.whatsapp.failure = error = kind("no")
    scene.outbox.away = 1
    assert scene.refuses(STORED) is error
    last = caplog.records[-1]
    assert last.levelno == logging.WARNING
    assert last.getMessage() == "a failed delivery to +91••••3210 was not recorded"


# --- a message that is not stored ---


WAITING = Quota(0, retry_after=77, ends_at=NOW + timedelta(seconds=77))
REFUSALS = Limit("phone_refusals", 10, 3_600)
GUESSES = Limit("phone_failures", 10, 3_600)
BLOCK = Block(REFUSALS, 60)
LOCK = Lock(Block.until(GUESSES, NOW + timedelta(seconds=90), NOW), too_many=True)
LIMITED = {
    "limit": "phone_sends",
    "allowed": 5,
    "per_seconds": 600,
    "resets_at": WAITING.ends_at,
}


def test_a_send_limit_tells_which_and_when_it_is_over(scene: Scene) -> None:
    error = scene.refuses(replace(NOT_STORED, quota=WAITING, limit=TEN_MINUTES))
    assert type(error) is SendLimitExceeded
    assert (error.phone, error.retry_after, error.details) == (PHONE, 77, LIMITED)


def test_another_limit_has_its_own_time(scene: Scene) -> None:
    error = scene.refuses(replace(NOT_STORED, quota=WAITING, block=BLOCK))
    details = {"limit": "phone_refusals", "allowed": 10, "per_seconds": 3_600}
    assert type(error) is SendLimitExceeded
    assert (error.retry_after, error.details) == (60, details)


def test_without_a_guess_left_the_phone_is_locked(scene: Scene) -> None:
    error = scene.refuses(replace(NOT_STORED, lock=LOCK))
    assert (type(error), error.phone, error.retry_after) == (PhoneLocked, PHONE, 90)
    assert error.details["limit"] == "phone_failures"


def test_what_looks_like_pumping_is_no_destination(scene: Scene) -> None:
    error = scene.refuses(replace(NOT_STORED, blocked=True))
    assert type(error) is DestinationNotAllowed
    assert (error.phone, error.details) == (PHONE, {"reason": "unusual_traffic"})


def test_what_was_not_stored_for_no_reason_may_be_tried_again_at_once(scene: Scene) -> None:
    error = scene.refuses(NOT_STORED)
    assert (type(error), error.retry_after) == (StorageUnavailable, 1)


LEFT = replace(NOT_STORED, quota=WAITING, blocked=True)
LOCKED = replace(LEFT, lock=LOCK)
HELD_UP = replace(LOCKED, block=BLOCK)


@pytest.mark.parametrize(
    ("issued", "error", "limit"),
    [
        (replace(HELD_UP, limit=TEN_MINUTES), SendLimitExceeded, "phone_sends"),
        (HELD_UP, SendLimitExceeded, "phone_refusals"),
        (LOCKED, PhoneLocked, "phone_failures"),
        (LEFT, DestinationNotAllowed, None),
    ],
)
def test_what_a_person_can_wait_for_is_told_first(
    scene: Scene, issued: Issued, error: type[OtpError], limit: str | None
) -> None:
    refused = scene.refuses(issued)
    assert (type(refused), refused.details.get("limit")) == (error, limit)


def test_a_live_verification_without_a_new_message_is_no_success(scene: Scene) -> None:
    error = scene.refuses(replace(STORED, outgoing=None, limit=TEN_MINUTES))
    assert type(error) is SendLimitExceeded


def test_nothing_is_sent_of_what_was_not_stored(scene: Scene) -> None:
    scene.refuses(replace(background(NOT_STORED), blocked=True))
    assert (scene.wakes, scene.whatsapp.messages, scene.outbox.became) == (0, [], [])


# --- what looks like pumping ---


@pytest.mark.parametrize(("country", "named"), [("IN", "IN"), (None, "")])
def test_each_suspicion_is_told_with_the_country(
    scene: Scene, country: str | None, named: str
) -> None:
    draft = replace(STORED.draft, country=country)
    scene.sending.deliver(replace(STORED, draft=draft, suspicions=("prefix", "country")))
    assert scene.suspicions == [("prefix", named), ("country", named)]


@pytest.mark.parametrize(
    ("issued", "done"),
    [(STORED, "sent"), (replace(STORED, outgoing=None, blocked=True), "not sent")],
)
def test_the_log_says_whether_a_suspicious_message_went_out(
    scene: Scene, issued: Issued, done: str, caplog: pytest.LogCaptureFixture
) -> None:
    with suppress(DestinationNotAllowed):
        scene.sending.deliver(replace(issued, suspicions=("prefix",)))
    (record,) = caplog.records
    assert record.getMessage() == f"pumping suspected: +91••••3210, {done}"
    assert (vars(record)["rule"], vars(record)["country"]) == ("prefix", "IN")


def test_an_honest_message_raises_no_suspicion(scene: Scene) -> None:
    scene.sending.deliver(STORED)
    assert scene.suspicions == []
