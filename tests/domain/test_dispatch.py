"""Who carries a message, who carries it next, and what is recorded of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otp_service.domain import dispatch as dispatch_module
from otp_service.domain import failures
from otp_service.domain.dispatch import Dispatch
from otp_service.domain.errors import DeliveryUnconfirmed, InvalidRequest, delivery_error
from otp_service.domain.failures import Failure, Outcome
from otp_service.domain.messages import Message, Outgoing
from otp_service.domain.verification import Channel
from tests.domain.fakes import FakeOutbox, dispatch_over
from tests.domain.samples import CODE, MESSAGE, PHONE, POLICY, TEST_NUMBER
from tests.fakes import FakeSender

AUTO = replace(MESSAGE, auto=True)
WHATSAPP, SMS = Channel.WHATSAPP, Channel.SMS


class Scene:
    """Two providers of WhatsApp and one of SMS, and all that they were given."""

    def __init__(self) -> None:
        self.outbox = FakeOutbox()
        self.first, self.second = FakeSender(), FakeSender(provider="second")
        self.sms = FakeSender(SMS, "fake-sms")
        self.dispatch = dispatch_over(self.outbox, self.first, self.second, self.sms)

    def fail(self, sender: FakeSender, failure: Failure) -> None:
        sender.failure = delivery_error(failure, "the provider's words")

    @property
    def sent_by(self) -> list[str]:
        senders = (self.first, self.second, self.sms)
        return [sender.provider for sender in senders if sender.messages]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def dispatch(scene: Scene) -> Dispatch:
    return scene.dispatch


# --- who carries it ---


def test_the_first_provider_carries_a_message(scene: Scene) -> None:
    assert scene.dispatch.choose(PHONE, WHATSAPP) is scene.first


def test_a_provider_that_is_known_to_be_down_is_passed_over(scene: Scene) -> None:
    scene.first.is_available = False
    assert scene.dispatch.choose(PHONE, WHATSAPP) is scene.second


def test_if_all_are_down_the_first_one_says_so(scene: Scene) -> None:
    scene.first.is_available = scene.second.is_available = False
    assert scene.dispatch.choose(PHONE, WHATSAPP) is scene.first


@pytest.mark.parametrize("phone", [PHONE, TEST_NUMBER])
def test_nobody_carries_what_no_provider_is_configured_for(phone: str) -> None:
    with pytest.raises(InvalidRequest):
        dispatch_over(FakeOutbox(), FakeSender()).choose(phone, SMS)


@pytest.mark.parametrize("channel", [WHATSAPP, SMS])
def test_what_a_test_number_gets_stays_here(dispatch: Dispatch, channel: Channel) -> None:
    assert dispatch.choose(TEST_NUMBER, channel) is dispatch.test_sender


# --- who carries it next ---


A_FAILURE = {failure.outcome: failure for failure in failures.FAILURES.values()}
# After the first of two providers failed so: who is next, without an SMS and with one.
ROUTES = [
    (Outcome.RECIPIENT, None, "fake-sms"),
    (Outcome.DESTINATION, None, "fake-sms"),
    (Outcome.REFUSED, "second", "second"),
    (Outcome.CONFIGURATION, "second", "second"),
    (Outcome.ACCOUNT, "second", "second"),
    (Outcome.TEMPORARY, "second", "second"),
    (Outcome.UNKNOWN, None, None),
]


def next_of(dispatch: Dispatch, message: Outgoing, outcome: Outcome) -> str | None:
    route = dispatch.next_route(message, A_FAILURE[outcome])
    return route.provider if route else None


@pytest.mark.parametrize(("outcome", "alone", "auto"), ROUTES)
def test_who_is_next_after_the_first_provider(
    dispatch: Dispatch, outcome: Outcome, alone: str | None, auto: str | None
) -> None:
    assert next_of(dispatch, MESSAGE, outcome) == alone
    assert next_of(dispatch, AUTO, outcome) == auto


def test_each_outcome_has_its_route() -> None:
    assert {outcome for outcome, *_ in ROUTES} == set(Outcome)


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.UNKNOWN}, key=str))
def test_after_the_last_provider_an_sms_is_all_that_is_left(
    dispatch: Dispatch, outcome: Outcome
) -> None:
    assert next_of(dispatch, replace(MESSAGE, provider="second"), outcome) is None
    assert next_of(dispatch, replace(AUTO, provider="second"), outcome) == "fake-sms"


def test_who_is_down_is_not_next(scene: Scene) -> None:
    scene.second.is_available = False
    assert next_of(scene.dispatch, MESSAGE, Outcome.TEMPORARY) is None
    assert next_of(scene.dispatch, AUTO, Outcome.TEMPORARY) == "fake-sms"


def test_nobody_of_the_channel_follows_a_provider_that_is_configured_no_more(
    dispatch: Dispatch,
) -> None:
    gone = replace(AUTO, provider="gone")
    assert next_of(dispatch, gone, Outcome.TEMPORARY) == "fake-sms"


def test_an_sms_has_a_next_provider_of_its_own_channel() -> None:
    senders = FakeSender(SMS, "fake-sms"), FakeSender(SMS, "second-sms")
    sms = replace(MESSAGE, channel=SMS, provider="fake-sms")
    dispatch = dispatch_over(FakeOutbox(), *senders)
    assert next_of(dispatch, sms, Outcome.TEMPORARY) == "second-sms"


def test_nobody_is_next_for_a_test_number(dispatch: Dispatch) -> None:
    assert next_of(dispatch, replace(AUTO, phone=TEST_NUMBER), Outcome.TEMPORARY) is None


# --- it is carried ---


def test_a_provider_gets_all_that_the_message_takes(scene: Scene) -> None:
    scene.dispatch.carry(MESSAGE)
    assert scene.first.messages == [Message(PHONE, CODE, 300, "en", MESSAGE.delivery_id)]


def test_a_message_goes_by_the_provider_it_is_stored_for(scene: Scene) -> None:
    scene.dispatch.carry(replace(MESSAGE, provider="second"))
    assert scene.sent_by == ["second"]


def test_a_message_whose_provider_is_configured_no_more_goes_by_another(scene: Scene) -> None:
    scene.dispatch.carry(replace(MESSAGE, provider="gone"))
    assert scene.sent_by == ["fake"]


def test_a_test_number_s_message_goes_to_nobody_outside(scene: Scene) -> None:
    assert scene.dispatch.carry(replace(MESSAGE, phone=TEST_NUMBER))[1] is None
    assert scene.sent_by == []


def test_the_second_provider_carries_what_the_first_could_not(scene: Scene) -> None:
    scene.fail(scene.first, failures.RATE_LIMITED)
    message, error = scene.dispatch.carry(MESSAGE)
    assert (error, message.provider, scene.sent_by) == (None, "second", ["second"])
    assert scene.outbox.became == [
        ("followed", "d1", WHATSAPP, "second", scene.first.failure, None),
        ("submitted", "d1+", "fake-1", POLICY.grace, None),
    ]


def test_an_sms_carries_the_same_code_to_who_has_no_whatsapp(scene: Scene) -> None:
    scene.fail(scene.first, failures.NOT_ON_WHATSAPP)
    message, error = scene.dispatch.carry(AUTO)
    assert (error, message.channel, scene.sent_by) == (None, SMS, ["fake-sms"])
    assert scene.sms.last_code == CODE


def test_each_is_tried_once_and_the_last_failure_is_told(scene: Scene) -> None:
    scene.fail(scene.first, failures.RATE_LIMITED)
    scene.fail(scene.second, failures.BALANCE_EMPTY)
    scene.fail(scene.sms, failures.BARRED)
    message, error = scene.dispatch.carry(AUTO)
    assert error is scene.sms.failure
    assert (message.channel, message.delivery_id) == (SMS, "d1++")


def test_after_an_unclear_answer_nobody_sends_it_again(scene: Scene) -> None:
    scene.first.failure = error = DeliveryUnconfirmed("ReadTimeout")
    assert scene.dispatch.carry(AUTO) == (AUTO, error)
    assert (scene.sent_by, scene.outbox.became) == ([], [])


def test_without_a_store_for_the_next_message_the_failure_is_the_last_word(scene: Scene) -> None:
    scene.fail(scene.first, failures.RATE_LIMITED)
    scene.outbox.away = 1
    assert scene.dispatch.carry(MESSAGE) == (MESSAGE, scene.first.failure)
    assert scene.sent_by == []


def test_a_code_that_has_ended_is_not_carried_on(scene: Scene) -> None:
    scene.fail(scene.first, failures.RATE_LIMITED)
    scene.outbox.follows = False
    assert scene.dispatch.carry(MESSAGE) == (MESSAGE, scene.first.failure)
    assert scene.sent_by == []


def test_a_failure_is_the_callers_to_record(scene: Scene) -> None:
    scene.fail(scene.first, failures.NOT_ON_WHATSAPP)
    scene.dispatch.carry(MESSAGE)
    assert scene.outbox.became == []


# --- a success is recorded ---


@pytest.mark.parametrize(("message", "due_in"), [(MESSAGE, None), (AUTO, POLICY.sms_after)])
def test_only_what_an_sms_may_follow_is_looked_at_again(
    scene: Scene, message: Outgoing, due_in: int | None
) -> None:
    scene.dispatch.carry(message)
    assert scene.outbox.became == [("submitted", "d1", "fake-1", POLICY.grace, due_in)]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the pauses."""
    monkeypatch.setattr(dispatch_module, "RECORD_PAUSES", (0.0,) * 7)


LEASED = replace(MESSAGE, lease="a-worker's")


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(("message", "times"), [(MESSAGE, 1), (LEASED, 7)])
def test_nobody_waits_for_a_success_to_be_recorded_but_a_worker(
    scene: Scene, message: Outgoing, times: int
) -> None:
    scene.outbox.away = 100
    assert scene.dispatch.carry(message) == (message, None)
    assert scene.outbox.calls == times


@pytest.mark.usefixtures("hurried")
def test_a_worker_stops_trying_once_it_is_recorded(scene: Scene) -> None:
    scene.outbox.away = 2
    scene.dispatch.carry(LEASED)
    assert (scene.outbox.calls, len(scene.outbox.became)) == (3, 1)


# --- what the log says ---


def test_the_log_tells_of_a_success_that_could_not_be_recorded(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.outbox.away = 1
    scene.dispatch.carry(MESSAGE)
    assert caplog.messages == ["a delivery to +91••••3210 could not be recorded"]


@pytest.mark.parametrize("failure", [failures.NOT_ON_WHATSAPP, failures.BALANCE_EMPTY])
def test_the_log_tells_of_a_failure_as_loudly_as_it_deserves(
    scene: Scene, failure: Failure, caplog: pytest.LogCaptureFixture
) -> None:
    scene.fail(scene.first, failure)
    scene.dispatch.carry(MESSAGE)
    record = caplog.records[0]
    event = f"fake did not take a message to +91••••3210, {failure.operator_text}"
    assert (record.levelno, record.getMessage()) == (failure.level, event)


def test_the_log_says_which_message_failed_and_how(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.fail(scene.first, failures.NOT_ON_WHATSAPP)
    scene.dispatch.carry(MESSAGE)
    fields = vars(caplog.records[0])
    assert (fields["verification_id"], fields["failure"]) == ("p01", "not_on_whatsapp")
    assert (fields["channel"], fields["provider"]) == ("whatsapp", "fake")


def test_neither_the_phone_nor_the_code_is_in_the_log(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    scene.first.failure = delivery_error(failures.NOT_ON_WHATSAPP, f"{CODE} to {PHONE}")
    scene.dispatch.carry(MESSAGE)
    scene.first.failure, scene.outbox.away = None, 1
    scene.dispatch.carry(MESSAGE)
    assert len(caplog.records) == 2
    logged = " ".join(str(vars(record)) for record in caplog.records)
    assert not any(secret in logged for secret in (PHONE[1:], CODE))
