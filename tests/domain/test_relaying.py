"""Codes that others made, over a store and a sender that are stand-ins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from otp_service.domain.destination import DestinationRules
from otp_service.domain.drafts import Earlier, SendOptions
from otp_service.domain.errors import (
    DeliveryFailed,
    DeliveryUnconfirmed,
    DestinationNotAllowed,
    IdempotencyInProgress,
    InvalidPhoneNumber,
    InvalidRequest,
    MessageNotFound,
)
from otp_service.domain.given_codes import open_code
from otp_service.domain.policy import Policy
from otp_service.domain.relaying import Relaying
from otp_service.domain.sending import Sending
from otp_service.domain.verification import Channel, DeliveryStatus, RelayedMessage
from tests.domain.fakes import FakeOutbox, FakeStore, dispatch_over
from tests.domain.samples import (
    CODES,
    DELIVERY,
    KEY,
    MESSAGE,
    NOT_STORED,
    NOW,
    PERSON,
    PHONE,
    POLICY,
    VERIFICATION,
)
from tests.fakes import FakeSender

FOUND = RelayedMessage(
    id="p01",
    client="shop",
    phone=PHONE,
    purpose="login",
    channel=Channel.WHATSAPP,
    created_at=NOW,
    expires_at=NOW + timedelta(seconds=300),
    as_of=NOW,
    deliveries=(DELIVERY,),
)
EARLIER = replace(NOT_STORED, earlier=Earlier("p01", "d1", KEY.fingerprints[0]))


class Scene:
    def __init__(self, policy: Policy = POLICY) -> None:
        self.store, self.sender, self.outbox = FakeStore(), FakeSender(), FakeOutbox()
        self.woken: list[str] = []
        sending = Sending(
            dispatch_over(self.outbox, self.sender, policy=policy),
            self.outbox,
            CODES,
            policy,
            wake=lambda message: self.woken.append(message.delivery_id),
        )
        self.relaying = Relaying(self.store, sending, CODES, policy)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_what_is_stored_has_nothing_to_check_and_only_the_sealed_digits(scene: Scene) -> None:
    scene.relaying.relay(PERSON, "04711", expires_in=77)
    (draft,) = scene.store.drafts
    assert (draft.lifetime, draft.max_attempts, draft.mac_for("p01", 1)) == (77, 0, "")
    assert draft.seal_for
    sealed = draft.seal_for("p01", 1)
    assert "04711" not in sealed + repr(draft)
    assert open_code(CODES, sealed, CODES.secret_id, "p01", 1) == "04711"


def test_it_lives_as_long_as_our_own_unless_that_is_said(scene: Scene) -> None:
    scene.relaying.relay(PERSON, "04711")
    assert scene.store.drafts[0].lifetime == POLICY.lifetime


def test_who_does_not_wait_leaves_it_to_a_worker(scene: Scene) -> None:
    told = scene.relaying.relay(PERSON, "04711", SendOptions(background=True))
    assert (told.status, scene.sender.messages) == (DeliveryStatus.QUEUED, [])
    assert scene.woken == [MESSAGE.delivery_id]


@pytest.mark.parametrize(
    ("error", "became"),
    [(DeliveryFailed("no"), "refused"), (DeliveryUnconfirmed("?"), "postponed")],
)
def test_what_a_provider_said_is_raised_and_names_the_message(
    scene: Scene, error: DeliveryFailed, became: str
) -> None:
    scene.sender.failure = error
    with pytest.raises(type(error)) as caught:
        scene.relaying.relay(PERSON, "04711")
    assert (caught.value.message_id, caught.value.verification_id) == ("p01", None)
    assert scene.outbox.became[-1][0] == became


def test_phones_and_channels_are_looked_at_before_anything_is_stored() -> None:
    scene = Scene(replace(POLICY, destinations=DestinationRules(countries=frozenset({"US"}))))
    refused = [
        (InvalidPhoneNumber, replace(PERSON, phone="+1"), SendOptions()),
        (DestinationNotAllowed, PERSON, SendOptions()),
        (InvalidRequest, replace(PERSON, phone="+14155552671"), SendOptions(channel="sms")),
    ]
    for kind, person, options in refused:
        with pytest.raises(kind):
            scene.relaying.relay(person, "04711", options)
    assert scene.store.drafts == []


@pytest.mark.parametrize(("background", "status"), [(None, "submitted"), (True, "queued")])
def test_a_repeat_is_told_what_the_first_was(
    scene: Scene, background: bool | None, status: str
) -> None:
    delivery = replace(DELIVERY, submitted_at=NOW, background=background)
    scene.store.issues, scene.store.message = [EARLIER], replace(FOUND, deliveries=(delivery,))
    told = scene.relaying.relay(PERSON, "04711", SendOptions(key=KEY))
    assert (told.id, told.status.value, told.repeated) == ("p01", status, True)
    assert scene.sender.messages == []


def test_a_repeat_while_the_first_still_runs_is_told_so_and_what_ended_is_sent_again(
    scene: Scene,
) -> None:
    scene.store.issues, scene.store.message = [EARLIER], FOUND
    options = SendOptions(key=KEY)
    with pytest.raises(IdempotencyInProgress):
        scene.relaying.relay(PERSON, "04711", options)
    scene.store.message = replace(FOUND, as_of=NOW + timedelta(seconds=31))
    with pytest.raises(DeliveryUnconfirmed) as caught:
        scene.relaying.relay(PERSON, "04711", options)
    assert caught.value.message_id == "p01"
    assert scene.outbox.became == [("handed over", "p01", "d1")]
    scene.store.message = replace(FOUND, as_of=NOW + timedelta(seconds=301))
    with pytest.raises(DeliveryUnconfirmed):
        scene.relaying.relay(PERSON, "04711", options)
    assert len(scene.outbox.became) == 1, "one that has ended"


def test_what_there_is_not_is_not_found(scene: Scene) -> None:
    with pytest.raises(MessageNotFound):
        scene.relaying.get("shop", VERIFICATION.id)


def test_its_status_is_that_of_the_message_that_came_furthest() -> None:
    failed = replace(DELIVERY, status=DeliveryStatus.FAILED, failed_at=NOW)
    later = replace(DELIVERY, id="d2", created_at=NOW + timedelta(seconds=9))
    delivered = replace(DELIVERY, status=DeliveryStatus.DELIVERED, delivered_at=NOW)
    assert replace(FOUND, deliveries=(failed, later)).status is DeliveryStatus.QUEUED
    assert replace(FOUND, deliveries=(delivered, later)).status is DeliveryStatus.DELIVERED
