"""What a worker does about a message that is due."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from otp_service.domain import failures
from otp_service.domain.errors import DeliveryUnconfirmed, delivery_error
from otp_service.domain.failures import Failure
from otp_service.domain.follow_up import LATE_DELIVERY, MAX_BACK_OFF, FollowUp, back_off, look_in
from otp_service.domain.messages import Outgoing, Receipt
from otp_service.domain.verification import Channel, DeliveryStatus, Price
from tests.domain.fakes import FakeOutbox, FakeReceipts, dispatch_over
from tests.domain.samples import MESSAGE, POLICY
from tests.fakes import FakeSender

WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS
QUEUED = replace(MESSAGE, lease="a-worker's")
AUTO = replace(QUEUED, auto=True)
CLOSED = [("closed", "d1")]
BY_SMS = [("followed", "d1", SMS, "fake-sms", None, 0)]


class Scene:
    """One provider of WhatsApp, one of SMS, and a worker's part."""

    def __init__(self) -> None:
        self.outbox, self.receipts = FakeOutbox(), FakeReceipts()
        self.whatsapp, self.sms = FakeSender(), FakeSender(SMS, "fake-sms")
        self.prices: list[tuple[str, Price]] = []
        self.follow_up = self.with_senders(self.whatsapp, self.sms)

    def with_senders(self, *senders: FakeSender) -> FollowUp:
        dispatch = dispatch_over(self.outbox, *senders)
        return FollowUp(dispatch, self.outbox, self.receipts, POLICY, self._price)

    def _price(self, provider: str, price: Price) -> None:
        self.prices.append((provider, price))

    def handle(self, message: Outgoing) -> list[tuple[object, ...]]:
        """What became of it."""
        self.follow_up.handle(message)
        return self.outbox.became


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Scene:
    """Where nothing is left to chance: `back_off` adds nothing at random."""
    monkeypatch.setattr(random, "uniform", lambda low, high: low)
    return Scene()


def failed(failure: Failure | None, message: Outgoing = QUEUED) -> Outgoing:
    code = failure.code if failure else "a-code-of-a-later-release"
    return replace(message, status=DeliveryStatus.FAILED, error_code=code)


# --- a message that has not gone out ---


def test_what_is_queued_is_sent(scene: Scene) -> None:
    assert scene.handle(QUEUED) == [("submitted", "d1", "fake-1", POLICY.grace, None)]


def test_a_message_whose_code_has_ended_is_closed_unsent(scene: Scene) -> None:
    assert scene.handle(replace(AUTO, is_current=False)) == CLOSED
    assert scene.whatsapp.messages == []


def test_an_unclear_answer_is_not_blindly_repeated(scene: Scene) -> None:
    scene.whatsapp.failure = error = DeliveryUnconfirmed("ReadTimeout")
    assert scene.handle(QUEUED) == [("postponed", "d1", error, None)]


def test_after_an_unclear_answer_an_sms_has_to_wait(scene: Scene) -> None:
    scene.whatsapp.failure = error = DeliveryUnconfirmed("ReadTimeout")
    assert scene.handle(AUTO) == [("postponed", "d1", error, POLICY.sms_after)]


def test_what_is_refused_for_good_is_recorded_as_that(scene: Scene) -> None:
    scene.whatsapp.failure = error = delivery_error(failures.NOT_ON_WHATSAPP)
    assert scene.handle(QUEUED) == [("refused", "d1", error)]


def test_what_was_tried_last_is_what_is_recorded(scene: Scene) -> None:
    scene.whatsapp.failure = delivery_error(failures.NOT_ON_WHATSAPP)
    scene.sms.failure = error = delivery_error(failures.BARRED)
    assert scene.handle(AUTO)[-1] == ("refused", "d1+", error)


# --- a trouble that passes ---


@pytest.mark.parametrize(("tries", "wait"), [(0, 1), (1, 4), (2, 16), (3, 60)])
def test_a_provider_s_trouble_is_waited_for(scene: Scene, tries: int, wait: int) -> None:
    scene.whatsapp.failure = error = delivery_error(failures.PROVIDER_DOWN)
    assert scene.handle(replace(QUEUED, tries=tries)) == [("postponed", "d1", error, wait)]


@pytest.mark.parametrize(("tries", "asked", "wait"), [(0, 120, 120), (3, 2, 60)])
def test_a_provider_gets_the_time_it_asks_for_and_no_less_than_ours(
    scene: Scene, tries: int, asked: int, wait: int
) -> None:
    scene.whatsapp.failure = error = delivery_error(failures.RATE_LIMITED, retry_after=asked)
    assert scene.handle(replace(QUEUED, tries=tries)) == [("postponed", "d1", error, wait)]


@pytest.mark.parametrize("asked", [300, 301])
def test_what_would_be_tried_after_its_code_has_expired_is_refused_now(
    scene: Scene, asked: int
) -> None:
    scene.whatsapp.failure = error = delivery_error(failures.RATE_LIMITED, retry_after=asked)
    assert scene.handle(QUEUED) == [("refused", "d1", error)]


def test_a_last_try_may_come_just_before_the_code_expires(scene: Scene) -> None:
    scene.whatsapp.failure = error = delivery_error(failures.RATE_LIMITED, retry_after=299)
    assert scene.handle(QUEUED) == [("postponed", "d1", error, 299)]


def test_waits_grow_fourfold_up_to_a_bound() -> None:
    for tries, least in enumerate((1, 4, 16, 60, 60, 60)):
        assert all(least <= back_off(tries) <= least * 1.25 for _ in range(50))
    assert back_off(400) <= MAX_BACK_OFF * 1.25


def test_messages_that_failed_together_do_not_come_back_together() -> None:
    assert len({back_off(0) for _ in range(50)}) > 1


# --- a message that may have gone out ---


UNCLEAR = replace(AUTO, error_code=failures.UNCONFIRMED.code)
SUBMITTED = replace(AUTO, status=DeliveryStatus.SUBMITTED)


@pytest.mark.parametrize("message", [UNCLEAR, SUBMITTED, replace(AUTO, status=DeliveryStatus.SENT)])
def test_an_sms_follows_what_has_not_arrived_in_time(scene: Scene, message: Outgoing) -> None:
    assert scene.handle(message) == BY_SMS


def test_what_may_still_arrive_goes_by_no_second_provider_of_its_channel(scene: Scene) -> None:
    senders = (scene.whatsapp, FakeSender(provider="second"), scene.sms)
    scene.with_senders(*senders).handle(SUBMITTED)
    assert scene.outbox.became == BY_SMS


@pytest.mark.parametrize("message", [UNCLEAR, SUBMITTED])
def test_without_auto_nothing_follows_what_may_still_arrive(
    scene: Scene, message: Outgoing
) -> None:
    assert scene.handle(replace(message, auto=False)) == CLOSED


@pytest.mark.parametrize("status", [DeliveryStatus.DELIVERED, DeliveryStatus.READ])
def test_nothing_follows_what_has_arrived(scene: Scene, status: DeliveryStatus) -> None:
    assert scene.handle(replace(AUTO, status=status)) == CLOSED


def test_nothing_follows_what_has_been_replaced(scene: Scene) -> None:
    assert scene.handle(replace(SUBMITTED, is_current=False)) == CLOSED


def test_an_unclear_message_is_not_sent_again(scene: Scene) -> None:
    scene.handle(UNCLEAR)
    assert scene.whatsapp.messages == []


def test_where_nothing_may_follow_the_message_is_closed(scene: Scene) -> None:
    scene.outbox.follows = False
    assert scene.handle(SUBMITTED) == BY_SMS + CLOSED


def test_without_a_provider_of_sms_none_follows(scene: Scene) -> None:
    scene.with_senders(scene.whatsapp).handle(SUBMITTED)
    assert scene.outbox.became == CLOSED


def test_an_sms_waits_for_a_provider_that_is_down(scene: Scene) -> None:
    scene.sms.is_available = False
    assert scene.handle(SUBMITTED) == BY_SMS


# --- a message that failed after it was taken ---


def test_an_sms_follows_to_who_can_t_be_reached_by_whatsapp(scene: Scene) -> None:
    assert scene.handle(failed(failures.UNDELIVERABLE, AUTO)) == BY_SMS


@pytest.mark.parametrize(
    "failure", [failures.UNDELIVERABLE, failures.BALANCE_EMPTY, failures.UNCONFIRMED, None]
)
def test_without_auto_a_failure_that_does_not_pass_is_the_end(
    scene: Scene, failure: Failure | None
) -> None:
    assert scene.handle(failed(failure)) == CLOSED


@pytest.mark.parametrize("failure", [failures.BALANCE_EMPTY, None])
def test_another_provider_of_the_channel_comes_before_an_sms(
    scene: Scene, failure: Failure | None
) -> None:
    second = FakeSender(provider="second")
    scene.with_senders(scene.whatsapp, second, scene.sms).handle(failed(failure, AUTO))
    assert scene.outbox.became == [("followed", "d1", WHATSAPP, "second", None, 0)]


@pytest.mark.parametrize(("tries", "wait"), [(1, 4), (2, 16)])
def test_a_failure_that_passes_is_tried_again_by_the_same_provider(
    scene: Scene, tries: int, wait: int
) -> None:
    message = replace(failed(failures.RECIPIENT_RATE_LIMITED), tries=tries)
    assert scene.handle(message) == [("followed", "d1", WHATSAPP, "fake", None, wait)]


@pytest.mark.parametrize("expires_in", [60, 59, 0])
def test_no_message_is_put_off_beyond_its_code(scene: Scene, expires_in: int) -> None:
    late = replace(failed(failures.RECIPIENT_ABSENT), tries=3, expires_in=expires_in)
    assert scene.handle(late) == CLOSED


def test_an_unknown_outcome_leads_to_no_second_provider(scene: Scene) -> None:
    second = FakeSender(provider="second")
    scene.with_senders(scene.whatsapp, second).handle(failed(failures.UNCONFIRMED))
    assert scene.outbox.became == CLOSED


# --- receipts, and what is due ---


def receipt(failure: Failure | None = None, price: Price | None = None) -> Receipt:
    status = DeliveryStatus.FAILED if failure else DeliveryStatus.DELIVERED
    return Receipt("fake", "fake-1", status, failure=failure, price=price)


def test_a_late_delivery_may_follow_an_undeliverable() -> None:
    assert look_in(receipt(failures.UNDELIVERABLE)) == LATE_DELIVERY


@pytest.mark.parametrize("failure", [failures.BARRED, failures.RATE_LIMITED, None])
def test_a_worker_looks_at_every_other_failure_at_once(failure: Failure | None) -> None:
    assert look_in(receipt(failure)) == 0


def test_settling_looks_in_as_each_receipt_asks(scene: Scene) -> None:
    scene.receipts.kept = [receipt(), receipt(failures.UNDELIVERABLE)]
    assert scene.follow_up.settle_receipts() == 2
    assert scene.receipts.looks == [0, LATE_DELIVERY]


def test_settling_tells_of_a_message_s_price(scene: Scene) -> None:
    price = Price("authentication", True)
    scene.receipts.kept = [receipt(price=price)]
    scene.follow_up.settle_receipts()
    assert scene.prices == [("fake", price)]


def test_the_log_tells_of_a_message_that_failed_after_it_was_taken(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.receipts.kept = [receipt(), receipt(failures.BALANCE_EMPTY)]
    scene.follow_up.settle_receipts()
    (record,) = caplog.records
    event = f"a message that fake had taken failed, {failures.BALANCE_EMPTY.operator_text}"
    assert (record.levelno, record.getMessage()) == (failures.BALANCE_EMPTY.level, event)


def test_a_worker_takes_no_more_than_it_wants(scene: Scene) -> None:
    scene.outbox.due = [QUEUED, AUTO]
    assert scene.follow_up.take(1) == [QUEUED]
