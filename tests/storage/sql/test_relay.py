"""Codes that others made: kept sealed until they are out, then wiped; limits are as for ours."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from otp_service.domain import failures
from otp_service.domain.drafts import SendOptions
from otp_service.domain.errors import (
    CodeNotFound,
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
    DestinationNotAllowed,
    SendLimitExceeded,
)
from otp_service.domain.limits import Guard, Limit, Limits, Pumping
from otp_service.domain.messages import Receipt
from otp_service.domain.relaying import Relayed
from otp_service.domain.verification import DeliveryStatus, Person
from otp_service.storage.outbox import Messages
from otp_service.storage.retention import cleanup
from tests.fakes import FakeSender
from tests.storage.conftest import MakeService
from tests.storage.helpers import fail, pass_time, race
from tests.storage.sql.relays import PERSON, Scene

BACKGROUND, AUTO = SendOptions(background=True), SendOptions(channel="auto")
WIPED = [""]


@pytest.fixture
def make_scene(
    make_service: MakeService, engine: sa.Engine, messages: Messages, sender: FakeSender
) -> Any:
    def make(*secrets: bytes, **limits: Any) -> Scene:
        made = make_service(*secrets, limits=replace(Limits(), **limits))
        return Scene(made, engine, messages, sender)

    return make


@pytest.fixture
def scene(make_scene: Any) -> Scene:
    made: Scene = make_scene()
    return made


def numbered(number: int) -> Person:
    """Each of another prefix."""
    return Person("public", f"+91987654{number}000", "login")


class TestTheCode:
    def test_it_goes_out_as_it_was_given_and_is_wiped(self, scene: Scene) -> None:
        scene.relay("04711")
        assert (scene.out(), scene.sealed()) == (["04711"], WIPED)

    def test_while_it_waits_no_table_tells_it(self, scene: Scene) -> None:
        scene.relay("8406172935", options=BACKGROUND)
        (kept,) = scene.sealed()
        assert len(kept) > 40
        assert "8406172935" not in scene.everything()

    def test_a_worker_that_has_the_secret_sends_it_and_wipes_it(self, scene: Scene) -> None:
        scene.relay("04711", options=BACKGROUND)
        scene.work()
        assert (scene.out(), scene.sealed()) == (["04711"], WIPED)

    def test_one_that_was_sealed_before_the_secret_changed_still_goes_out(
        self, make_scene: Any
    ) -> None:
        make_scene(b"k" * 32).relay("04711", options=BACKGROUND)
        newer = make_scene(b"n" * 32, b"k" * 32)
        newer.work()
        assert newer.out() == ["04711"]

    def test_a_refused_one_is_gone_at_once_and_its_error_names_the_message(
        self, scene: Scene
    ) -> None:
        scene.whatsapp.failure = DeliveryFailed("no")
        with pytest.raises(DeliveryFailed) as caught:
            scene.relay("04711")
        assert scene.sealed() == []
        assert scene.relaying.get(PERSON.client, str(caught.value.message_id))
        assert caught.value.verification_id is None

    def test_one_that_nobody_sent_is_forgotten_when_it_has_ended(self, scene: Scene) -> None:
        told = scene.relay("04711", options=BACKGROUND, expires_in=30)
        scene.work(after=31)
        assert (scene.out(), scene.sealed()) == ([], [])
        assert scene.became(told) == (DeliveryStatus.FAILED, "overtaken")

    def test_the_cleanup_forgets_it_where_no_worker_runs(self, scene: Scene) -> None:
        scene.relay("04711", options=BACKGROUND)
        cleanup(scene.engine, 30)
        assert scene.sealed() != []
        pass_time(scene.engine, 181)
        cleanup(scene.engine, 30)
        assert scene.sealed() == []

    def test_what_stays_on_this_machine_is_shown_until_it_ends(self, scene: Scene) -> None:
        scene.whatsapp.provider = "sandbox"
        scene.relay("04711")
        assert [code for _, code in scene.service.inbox()] == ["04711"]
        scene.work(after=181)
        assert (scene.sealed(), [code for _, code in scene.service.inbox()]) == ([], [""])

    @pytest.mark.parametrize(
        ("error", "again"), [(DeliveryUnavailable("busy"), True), (DeliveryUnconfirmed("?"), False)]
    )
    def test_a_worker_tries_again_only_what_was_certainly_not_sent(
        self, scene: Scene, error: DeliveryError, again: bool
    ) -> None:
        scene.relay("04711", options=BACKGROUND)
        scene.whatsapp.failure = error
        scene.work()
        scene.whatsapp.failure = None
        scene.work(after=10)
        assert scene.out() == ["04711"] * again


class TestTheSmsThatMayFollow:
    def test_the_code_is_kept_for_it_and_wiped_when_it_is_out(self, scene: Scene) -> None:
        scene.relay("04711", options=AUTO)
        assert scene.sealed() != WIPED
        scene.work(after=31)
        assert (scene.sms.last_code, scene.sealed()) == ("04711", WIPED)

    @pytest.mark.parametrize("status", [DeliveryStatus.DELIVERED, DeliveryStatus.READ])
    def test_it_is_wiped_when_the_message_arrived(
        self, scene: Scene, status: DeliveryStatus
    ) -> None:
        scene.relay("04711", options=AUTO)
        scene.messages.keep([Receipt("fake", "fake-1", status)])
        scene.work()
        assert scene.sealed() == WIPED

    def test_a_receipt_for_another_message_wipes_nothing(self, scene: Scene) -> None:
        scene.relay("04711", options=AUTO)
        scene.relay("0815", replace(PERSON, purpose="other"), AUTO)
        scene.messages.keep([Receipt("fake", "fake-1", DeliveryStatus.DELIVERED)])
        scene.work()
        assert sorted(bool(each) for each in scene.sealed()) == [False, True]


class TestOneAfterTheOther:
    def test_a_newer_one_overtakes_what_is_not_out_yet(self, scene: Scene) -> None:
        first = scene.relay("1111", options=BACKGROUND)
        scene.relay("2222", options=BACKGROUND)
        scene.work()
        assert scene.out() == ["2222"]
        assert scene.became(first) == (DeliveryStatus.FAILED, "overtaken")

    def test_no_sms_follows_one_that_was_overtaken(self, scene: Scene) -> None:
        scene.relay("1111", options=AUTO)
        scene.relay("2222", options=AUTO)
        scene.work(after=31)
        assert [message.code for message in scene.sms.messages] == ["2222"]

    def test_no_sms_takes_the_place_of_one_that_was_overtaken_while_it_was_sent(
        self, scene: Scene
    ) -> None:
        def overtaken() -> None:
            scene.whatsapp.on_send = lambda: None
            scene.relay("2222", options=replace(AUTO, background=True))
            scene.whatsapp.failure = DeliveryFailed("no", failure=failures.NOT_ON_WHATSAPP)

        scene.whatsapp.on_send = overtaken
        with pytest.raises(DeliveryFailed):
            scene.relay("1111", options=AUTO)
        assert scene.sms.messages == []

    @pytest.mark.parametrize(
        "other",
        [{"client": "other"}, {"purpose": "other"}, {"phone": "+919876543211"}],
        ids=["client", "purpose", "phone"],
    )
    def test_one_for_somebody_or_something_else_overtakes_nothing(
        self, scene: Scene, other: dict[str, str]
    ) -> None:
        scene.relay("1111", options=BACKGROUND)
        scene.relay("2222", replace(PERSON, **other), BACKGROUND)
        scene.work()
        assert set(scene.out()) == {"1111", "2222"}

    def test_one_that_a_limit_refused_overtakes_nothing(self, make_scene: Any) -> None:
        scene: Scene = make_scene(phone_sends=(Limit("phone_sends", 1, 600),))
        scene.relay("1111", options=BACKGROUND)
        with pytest.raises(SendLimitExceeded):
            scene.relay("2222", options=BACKGROUND)
        scene.work()
        assert scene.out() == ["1111"]

    def test_of_racing_repeats_one_message_is_stored(self, scene: Scene) -> None:
        key = scene.relaying.request_key(PERSON.client, "k", "r")
        told: list[Relayed] = []
        options = replace(BACKGROUND, key=key)
        acts = [lambda: told.append(scene.relay("1111", options=options))] * 8
        assert race(*acts) == {"ok": 8}
        assert len({each.id for each in told}) == 1
        assert sum(not each.repeated for each in told) == 1


class TestLimits:
    def test_sends_of_both_kinds_are_counted_together(self, scene: Scene) -> None:
        for _ in range(4):
            scene.relay("1111")
        scene.service.send(PERSON)
        for refused in (lambda: scene.relay("1111"), lambda: scene.service.resend(PERSON)):
            with pytest.raises(SendLimitExceeded) as caught:
                refused()
            assert caught.value.details["limit"] == "phone_sends"

    def test_what_was_refused_for_the_recipients_sake_is_bounded(self, scene: Scene) -> None:
        scene.whatsapp.failure = DeliveryFailed("no", failure=failures.NOT_ON_WHATSAPP)
        for _ in range(10):
            with pytest.raises(DeliveryFailed):
                scene.relay("1111")
        with pytest.raises(SendLimitExceeded) as caught:
            scene.relay("1111")
        assert caught.value.details["limit"] == "phone_refusals"

    def test_the_guard_against_pumping_looks_at_prefixes(self, make_scene: Any) -> None:
        scene = make_scene(pumping=Pumping(guard=Guard.ENFORCE))
        for number in range(10):
            scene.relay("1111", Person("c", f"+91987654{number:04}", "login"))
        with pytest.raises(DestinationNotAllowed) as caught:
            scene.relay("1111", Person("c", "+919876549999", "login"))
        assert caught.value.details["reason"] == "unusual_traffic"

    def test_they_count_for_no_conversion_and_none_refuses_them(self, make_scene: Any) -> None:
        scene = make_scene(pumping=Pumping(guard=Guard.ENFORCE, sends=3, percent=50))
        for number in range(3):
            scene.relay("1111", numbered(number))
        scene.work(after=200)
        for number in range(3, 6):  # since none of theirs was counted
            scene.service.send(numbered(number))
        scene.work(after=200)
        with pytest.raises(DestinationNotAllowed):
            scene.service.send(numbered(6))
        assert scene.relay("1111", numbered(6))

    def test_neither_live_codes_nor_a_locked_phone_are_in_its_way_nor_it_in_theirs(
        self, make_scene: Any
    ) -> None:
        scene = make_scene(phone_failures=(Limit("phone_failures", 5, 3600),))
        for number in range(3):
            scene.relay("1111", replace(PERSON, purpose=f"p{number}"))
        scene.service.send(PERSON)
        fail(scene.service, PERSON, scene.whatsapp.last_code, 5)
        assert scene.relay("2222")


class TestIsNoVerification:
    def test_its_code_never_verifies(self, scene: Scene) -> None:
        told = scene.relay("123456")
        for asked in (None, told.id):
            with pytest.raises(CodeNotFound):
                scene.service.verify(PERSON, "123456", asked)

    def test_a_newer_one_hides_no_live_code(self, scene: Scene) -> None:
        scene.service.send(PERSON)
        code = scene.whatsapp.last_code
        scene.relay("2222")
        assert scene.service.verify(PERSON, code)
