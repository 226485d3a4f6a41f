"""A verification of ours whose code the caller made: delivered as given, then judged as any."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from otp_service.domain import failures
from otp_service.domain.drafts import SendOptions
from otp_service.domain.errors import CodeIncorrect, CodeNotFound
from otp_service.domain.messages import Receipt
from otp_service.domain.service import OtpService
from otp_service.domain.verification import DeliveryStatus
from otp_service.storage.outbox import Messages
from tests.fakes import FakeSender
from tests.storage.sql.relays import PERSON, Scene

GIVEN = SendOptions(code="80808")


@pytest.fixture
def scene(service: OtpService, engine: sa.Engine, messages: Messages, sender: FakeSender) -> Scene:
    return Scene(service, engine, messages, sender)


def test_it_is_delivered_as_given_wiped_and_accepted_once(scene: Scene) -> None:
    sent = scene.service.send(PERSON, GIVEN)
    assert (scene.out(), scene.sealed()) == (["80808"], [""])
    assert sent.exposed_code == "80808"
    with pytest.raises(CodeIncorrect):
        scene.service.verify(PERSON, "80809")
    assert scene.service.verify(PERSON, "80808")
    with pytest.raises(CodeNotFound):
        scene.service.verify(PERSON, "80808")


def test_a_resend_has_the_code_that_it_is_given_or_one_of_ours(scene: Scene) -> None:
    first = scene.service.send(PERSON, GIVEN).verification
    again = scene.service.resend(PERSON, replace(GIVEN, code="1234")).verification
    scene.service.resend(PERSON)
    assert scene.out()[:2] == ["80808", "1234"]
    assert len(scene.out()[2]) == 6
    assert again.id == first.id
    with pytest.raises(CodeIncorrect):
        scene.service.verify(PERSON, "1234")
    assert scene.service.verify(PERSON, scene.out()[2])


def test_a_worker_and_the_sms_that_follows_carry_it_too(scene: Scene) -> None:
    options = replace(GIVEN, channel="auto", background=True)
    scene.service.send(PERSON, options)
    scene.work()
    scene.work(after=31)
    assert (scene.out(), scene.sms.last_code) == (["80808"], "80808")
    assert scene.service.verify(PERSON, "80808")


def test_once_it_is_wiped_no_other_code_goes_out_in_its_place(scene: Scene) -> None:
    sent = scene.service.send(PERSON, GIVEN).verification
    busy = Receipt("fake", "fake-1", DeliveryStatus.FAILED, failure=failures.RATE_LIMITED)
    scene.messages.keep([busy])
    scene.work()
    scene.work(after=10)
    assert scene.out() == ["80808"]
    (delivery,) = scene.service.get(PERSON.client, sent.id).deliveries
    assert delivery.status is DeliveryStatus.FAILED


def test_a_request_that_is_repeated_is_told_the_same_code(scene: Scene) -> None:
    options = replace(GIVEN, key=scene.service.request_key("public", "k", "r"))
    first, again = (scene.service.send(PERSON, options) for _ in range(2))
    assert again.exposed_code == first.exposed_code == "80808"
    assert scene.out() == ["80808"]


def test_the_sandbox_shows_no_other_code_in_its_place_once_it_has_ended(scene: Scene) -> None:
    scene.whatsapp.provider = "sandbox"
    scene.service.send(PERSON, GIVEN)
    ours = scene.service.send(replace(PERSON, purpose="other")).exposed_code
    assert [code for _, code in scene.service.inbox()] == ["80808", ours]
    scene.work(after=181)
    assert [code for _, code in scene.service.inbox()] == ["", ours]
