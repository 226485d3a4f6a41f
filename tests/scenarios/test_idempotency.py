"""The same request again: the same answer, one message, one judgement."""

from __future__ import annotations

import pytest

from tests.faults.processes import at_once
from tests.faults.service import Answer
from tests.scenarios.scene import Scene
from tests.storage.helpers import wrong

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)

PHONE = "+919876543210"
KEY = {"Idempotency_Key": "5d1c3ab0"}


def replayed(*answers: Answer) -> list[str | None]:
    return [answer.headers.get("Idempotent-Replayed") for answer in answers]


def test_a_repeated_send_gets_the_same_answer_and_sends_nothing(scene: Scene) -> None:
    caller = scene.asking(**KEY)
    first, second = caller.send(), caller.send()
    assert first.status == second.status == 200
    assert first.body == second.body
    assert replayed(first, second) == [None, "true"]
    assert len(scene.simulator.messages()) == 1


@pytest.mark.parametrize("call", ["send", "resend"])
def test_of_ten_at_once_one_sends(scene: Scene, call: str) -> None:
    caller = scene.asking(**KEY)
    codes = at_once(10, lambda _: getattr(caller, call)(), threads=10)
    assert set(codes) <= {"ok", "idempotency_in_progress"}
    assert codes["ok"] >= 1
    assert len(scene.simulator.messages()) == 1


def test_a_repeated_resend_sends_one_code_more_and_not_two(scene: Scene) -> None:
    scene.send()
    caller = scene.asking(**KEY)
    first, second = caller.resend(), caller.resend()
    assert first.body == second.body
    assert replayed(first, second) == [None, "true"]
    assert len(scene.simulator.messages()) == 2
    assert scene.verify(scene.code()).code == "ok"


def test_another_body_with_the_same_key_is_refused(scene: Scene) -> None:
    caller = scene.asking(**KEY)
    caller.send()
    for refused in (caller.send("+919876543211"), caller.send(purpose="pay"), caller.resend()):
        assert (refused.status, refused.code) == (422, "idempotency_key_reused")
        assert replayed(refused) == [None]
    assert len(scene.simulator.messages()) == 1


def test_the_key_holds_for_24_hours(scene: Scene) -> None:
    caller = scene.asking(**KEY)
    first = caller.send()
    scene.pass_time(23.9 * 3600)
    assert caller.send().id == first.id
    scene.pass_time(0.2 * 3600)
    assert caller.send().id != first.id


def test_while_the_first_runs_the_second_is_told_so(scene: Scene) -> None:
    scene.simulator.script(next=1, answer="stall:2")
    caller = scene.asking(**KEY)
    codes = at_once(2, lambda _: caller.send(), threads=2)
    assert codes == {"ok": 1, "idempotency_in_progress": 1}
    assert caller.send().code == "ok"


def test_a_message_that_failed_is_told_again_and_not_sent_again(scene: Scene) -> None:
    scene.simulator.script(next=1, fault="http:400")
    caller = scene.asking(**KEY)
    first, second = caller.send(), caller.send()
    assert (first.status, first.code) == (502, "delivery_failed")
    assert second.body == first.body
    assert replayed(first, second) == [None, "true"]
    assert len(scene.simulator.messages()) == 1
    assert scene.send().code == "ok"  # without the key at once


def test_a_timed_out_message_is_told_again_and_not_sent_again(scene: Scene) -> None:
    scene.simulator.script(next=1, fault="closed-taken")
    caller = scene.asking(**KEY)
    first, second = caller.send(), caller.send()
    assert (first.status, first.code) == (504, "delivery_unconfirmed")
    assert second.body == first.body
    assert replayed(first, second) == [None, "true"]
    assert len(scene.simulator.messages()) == 1


@pytest.mark.parametrize(
    ("fault", "status", "failure", "reason"),
    [
        ({"fault": "http:400"}, 502, "invalid_number", "Invalid Destination"),
        ({"fault": "http:401"}, 502, "credentials_rejected", "Authentication Failed"),
        ({"fault": "error-200"}, 502, "invalid_number", "Invalid Destination"),
        ({"fault": "http:429"}, 503, "rate_limited", "Too Many Requests"),
        ({"fault": "http:503"}, 503, "provider_down", "Service Unavailable"),
        ({"fault": "text"}, 502, "credentials_rejected", "Invalid App Details"),
        ({"fault": "nested"}, 502, "template_rejected", "132000: Param mismatch"),
        ({"fault": "no-id"}, 504, "unconfirmed", "HTTP 202"),
        ({"fault": "html"}, 504, "unconfirmed", "HTTP 200: Please wait"),
        ({"fault": "closed-taken"}, 504, "unconfirmed", "no usable answer"),
    ],
    ids=lambda value: value["fault"] if isinstance(value, dict) else "",
)
def test_every_failed_send_names_its_verification_and_why_also_when_it_is_repeated(
    scene: Scene, fault: dict[str, str], status: int, failure: str, reason: str
) -> None:
    scene.simulator.script(next=1, **fault)
    caller = scene.asking(**KEY)
    first, second = caller.send(), caller.send()
    assert first.status == second.status == status
    assert first.data["phone_number"] == "+919876543210"
    assert first.body["error"]["failure"] == failure
    assert first.body["error"]["reason"].lower().startswith(reason.lower())
    assert second.body == first.body
    (delivery,) = scene.get(first.id).data["deliveries"]
    told = first.body["error"]
    assert (delivery["error_code"], delivery["reason"]) == (told["failure"], told["reason"])


def test_a_message_left_to_the_worker_is_stored_once(scene: Scene) -> None:
    caller = scene.asking(**KEY, Prefer="respond-async")
    first, second = caller.send(), caller.send()
    assert first.status == second.status == 202
    # A second may pass within the first request on a busy machine: all else is as it was.
    assert first.data | {"expires_in": 0} == second.data | {"expires_in": 0}
    assert replayed(first, second) == [None, "true"]
    scene.comes_to(first, "whatsapp delivered")
    assert len(scene.simulator.messages()) == 1


def test_what_changed_nothing_is_not_remembered(scene: Scene) -> None:
    scene.send()
    caller = scene.asking(**KEY)
    assert caller.send().code == "otp_already_sent"
    scene.verify(scene.code())
    assert caller.send().code == "ok"


def test_a_repeated_check_gets_the_success_that_consumed_the_code(scene: Scene) -> None:
    scene.send()
    caller = scene.asking(**KEY)
    code = scene.code()
    first, second = caller.verify(code), caller.verify(code)
    assert first.code == "ok"
    assert second.body == first.body
    assert replayed(first, second) == [None, "true"]
    assert scene.verify(code).code == "otp_not_found"


def test_a_repeated_wrong_guess_is_judged_once(scene: Scene) -> None:
    sent = scene.send()
    code, caller = scene.code(), scene.asking(**KEY)
    first, second = caller.verify(wrong(code)), caller.verify(wrong(code))
    assert (first.code, first.body["error"]["attempts_remaining"]) == ("invalid_otp", 4)
    assert second.body == first.body
    assert replayed(first, second) == [None, "true"]
    assert scene.get(sent.id).data["attempts"] == 1
    assert caller.verify(code).code == "idempotency_key_reused"
    assert scene.verify(code).code == "ok"
    assert caller.verify(wrong(code)).body == first.body


def test_of_ten_checks_at_once_with_one_key_all_are_told_of_one_success(scene: Scene) -> None:
    scene.send()
    code, caller = scene.code(), scene.asking(**KEY)
    assert at_once(10, lambda _: caller.verify(code), threads=10) == {"ok": 10}


def test_a_check_that_found_nothing_stays_one(scene: Scene) -> None:
    caller = scene.asking(**KEY)
    first, second = caller.verify("123456"), caller.verify("123456")
    assert first.code == second.code == "otp_not_found"
    assert replayed(first, second) == [None, None]


@pytest.mark.parametrize("key", ["", "k" * 256, "with space", "ümlaut"])
def test_a_key_that_can_not_be_one_is_refused(scene: Scene, key: str) -> None:
    refused = scene.asking(Idempotency_Key=key.encode().decode("latin-1")).send()
    assert (refused.status, refused.code) == (400, "invalid_request")
    assert "Idempotency-Key" in refused.body["error"]["fields"]
    assert not scene.simulator.messages()
