"""Messages between workers: leases, followers, and what is never done twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from otp_service.domain.drafts import SendOptions
from otp_service.domain.errors import DeliveryFailed, DeliveryUnavailable, DeliveryUnconfirmed
from otp_service.domain.messages import Outgoing, Receipt
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Channel, Delivery, DeliveryStatus, Person, Verification
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.outbox import Messages
from tests.storage.helpers import pass_time

QUEUED, FAILED = DeliveryStatus.QUEUED, DeliveryStatus.FAILED
REFUSED, DOWN = DeliveryFailed("no"), DeliveryUnavailable("busy")


@pytest.fixture
def waiting(service: OtpService, person: Person) -> Verification:
    """A verification whose message waits for a worker."""
    return service.send(person, SendOptions(background=True)).verification


def take(messages: Messages) -> Outgoing:
    (message,) = messages.take(10)
    return message


def deliveries(service: OtpService, of: Verification) -> tuple[Delivery, ...]:
    return service.get(of.client, of.id).deliveries


def wanting_sms(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        connection.execute(sa.update(DeliveryRow).values(auto=True))


def test_what_one_worker_has_taken_no_other_gets(service: OtpService, messages: Messages) -> None:
    for number in range(20):
        person = Person("public", f"+9198765432{number:02}", "login")
        service.send(person, SendOptions(background=True))
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: messages.take(5), range(8)))
    ids = [message.delivery_id for batch in taken for message in batch]
    ids += [message.delivery_id for message in messages.take(20)]
    assert len(ids) == len(set(ids)) == 20


def test_a_lease_ends(messages: Messages, waiting: Verification, engine: sa.Engine) -> None:
    first = take(messages)
    assert not messages.take(10)
    pass_time(engine, 61)
    assert take(messages).delivery_id == first.delivery_id


def test_who_has_lost_its_lease_changes_nothing(
    service: OtpService, messages: Messages, waiting: Verification, engine: sa.Engine
) -> None:
    late = take(messages)
    pass_time(engine, 61)
    now = take(messages)
    messages.postpone(late, DOWN, 0)
    messages.refused(late, REFUSED)
    messages.close(late)
    assert messages.follow(late, Channel.SMS, "sms", REFUSED) is None
    (delivery,) = deliveries(service, waiting)
    assert (delivery.status, delivery.error_code) == (QUEUED, None)
    assert not messages.take(10)
    messages.postpone(now, DOWN, 0)
    assert take(messages).tries == 1


def test_a_message_that_was_postponed_is_due_again_and_not_before(
    messages: Messages, waiting: Verification, engine: sa.Engine
) -> None:
    messages.postpone(take(messages), DOWN, 10)
    assert not messages.take(10)
    pass_time(engine, 11)
    again = take(messages)
    assert (again.tries, again.error_code) == (1, "provider_down")


def test_a_message_that_nobody_looks_at_again_is_never_due(
    messages: Messages, waiting: Verification, engine: sa.Engine
) -> None:
    messages.postpone(take(messages), DeliveryUnconfirmed(), None)
    pass_time(engine, 100)
    assert not messages.take(10)


def test_one_that_waited_past_its_codes_life_is_not_current(
    service: OtpService, messages: Messages, waiting: Verification, engine: sa.Engine
) -> None:
    pass_time(engine, 181)
    message = take(messages)
    assert not message.is_current
    messages.close(message)
    (delivery,) = deliveries(service, waiting)
    assert (delivery.status, delivery.error_code) == (FAILED, "overtaken")


def test_a_message_is_followed_once(
    service: OtpService, messages: Messages, waiting: Verification, engine: sa.Engine
) -> None:
    message = take(messages)
    following = messages.follow(message, Channel.SMS, "sms", REFUSED)
    assert following
    assert following.lease == message.lease
    assert messages.follow(message, Channel.SMS, "sms", REFUSED) is None
    first, second = deliveries(service, waiting)
    assert (first.status, first.error_code, first.reason) == (FAILED, "refused", "no")
    assert (second.channel, second.status) == (Channel.SMS, QUEUED)
    assert service.get(waiting.client, waiting.id).channel is Channel.SMS


def test_a_follower_counts_for_the_same_prefix_and_address(
    messages: Messages, service: OtpService, person: Person, engine: sa.Engine
) -> None:
    service.send(person, SendOptions(background=True, address="203.0.113.7"))
    following = messages.follow(take(messages), Channel.SMS, "sms", REFUSED)
    assert following
    counted = sa.select(DeliveryRow.id, DeliveryRow.prefix, DeliveryRow.address)
    with engine.connect() as connection:
        found = {id_: rest for id_, *rest in connection.execute(counted)}
    assert len(found) == 2
    assert found.pop(following.delivery_id) in found.values()
    assert None not in next(iter(found.values()))


def test_nor_by_two_of_the_same_channel(messages: Messages, waiting: Verification) -> None:
    message = take(messages)
    assert messages.follow(message, Channel.WHATSAPP, "second", DOWN)
    assert messages.follow(message, Channel.WHATSAPP, "second", DOWN) is None


def test_a_message_that_arrived_needs_no_look(
    messages: Messages, waiting: Verification, engine: sa.Engine
) -> None:
    messages.submitted(take(messages), "m1", grace=0, due_in=30)
    messages.keep([Receipt("fake", "m1", DeliveryStatus.DELIVERED)])
    messages.settle(10, lambda _: 0)
    pass_time(engine, 31)
    assert not messages.take(10)


def test_a_follower_whose_worker_dies_is_due_when_the_lease_ends(
    messages: Messages, waiting: Verification, engine: sa.Engine
) -> None:
    following = messages.follow(take(messages), Channel.SMS, "sms", REFUSED)
    assert following
    assert not messages.take(10)
    pass_time(engine, 61)
    assert take(messages).delivery_id == following.delivery_id


def test_one_that_arrived_meanwhile_is_not_followed(
    messages: Messages, waiting: Verification, engine: sa.Engine
) -> None:
    messages.submitted(take(messages), "m1", grace=0, due_in=0)
    message = take(messages)
    messages.keep([Receipt("fake", "m1", DeliveryStatus.DELIVERED)])
    messages.settle(10, lambda _: 0)
    assert messages.follow(message, Channel.SMS, "sms") is None


@pytest.mark.parametrize("event", ["verified", "canceled", "expired", "resent"])
def test_a_code_that_has_ended_is_not_followed(
    service: OtpService, messages: Messages, waiting: Verification, engine: sa.Engine, event: str
) -> None:
    message = take(messages)
    person = Person(waiting.client, waiting.phone, waiting.purpose)
    codes = service._codes
    code = codes.make(waiting.phone, waiting.id, 1, codes.secret_id)
    if event == "verified":
        service.verify(person, code)
    elif event == "canceled":
        service.cancel(waiting.client, waiting.id)
    elif event == "resent":
        service.resend(person)
    else:
        pass_time(engine, 181)
    assert messages.follow(message, Channel.SMS, "sms") is None


def test_refusing_a_follower_leaves_the_code_that_the_first_message_carries(
    service: OtpService, messages: Messages, waiting: Verification, engine: sa.Engine
) -> None:
    first = take(messages)
    messages.submitted(first, "m1", grace=0, due_in=0)
    timed_out = take(messages)
    following = messages.follow(timed_out, Channel.SMS, "sms", due_in=0)
    assert following
    messages.refused(take(messages), REFUSED)
    assert service.get(waiting.client, waiting.id).status.value == "pending"
    codes = service._codes
    code = codes.make(waiting.phone, waiting.id, 1, codes.secret_id)
    assert service.verify(Person(waiting.client, waiting.phone, waiting.purpose), code)


def test_refusing_the_only_message_ends_the_verification(
    service: OtpService, messages: Messages, waiting: Verification
) -> None:
    messages.refused(take(messages), REFUSED)
    assert service.get(waiting.client, waiting.id).status.value == "failed"
    person = Person(waiting.client, waiting.phone, waiting.purpose)
    assert service.send(person).quota.remaining == 4  # the refused one does not count


def test_a_message_of_the_release_before_is_never_due(
    service: OtpService, person: Person, messages: Messages, engine: sa.Engine
) -> None:
    service.send(person)
    columns = ("background", "auto", "tries", "due_at")
    with engine.begin() as connection:
        connection.execute(sa.update(DeliveryRow).values(dict.fromkeys(columns)))
    assert not messages.take(10)
    assert service.get(person.client, service.resend(person).verification.id).deliveries


def leave(engine: sa.Engine, **values: object) -> None:
    """As if the process that sent it had ended without a word, and left these."""
    with engine.begin() as connection:
        connection.execute(sa.update(DeliveryRow).values(due_at=None, lease=None, **values))


def test_a_message_that_was_left_without_a_word_can_be_handed_to_one_worker(
    messages: Messages, waiting: Verification, engine: sa.Engine
) -> None:
    delivery_id = take(messages).delivery_id
    leave(engine)
    assert not messages.take(10)
    for _ in range(2):
        messages.hand_over(waiting.id, delivery_id)
    assert take(messages).delivery_id == delivery_id
    messages.hand_over(waiting.id, delivery_id)  # a repeat, while the worker sends it
    assert not messages.take(10)


@pytest.mark.parametrize(
    "left",
    [{"status": "submitted"}, {"status": "failed"}, {"error_code": "provider_timeout"}],
    ids=["submitted", "failed", "answered"],
)
def test_a_message_whose_fate_is_known_is_handed_to_nobody(
    messages: Messages, waiting: Verification, engine: sa.Engine, left: dict[str, object]
) -> None:
    delivery_id = take(messages).delivery_id
    leave(engine, **left)
    messages.hand_over(waiting.id, delivery_id)
    assert not messages.take(10)
