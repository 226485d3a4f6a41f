"""The code of docs/integrations/better-auth.md, in better-auth's own plugin."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.loopback import free_port
from tests.guides.conftest import Service
from tests.guides.pages import blocks, page, with_packages
from tests.storage.helpers import wrong
from tests.system import need_tool, node

BEGINNING, THEIRS, OURS, _GIVEN = blocks(page("integrations/better-auth.md"), "js")
DRIVER = Path(__file__).parent / "better_auth.mjs"
Answer = dict[str, Any]
Start = Callable[..., "BetterAuth"]


class BetterAuth:
    """A process with the plugin in it."""

    def __init__(self, folder: Path, code: str, url: str, key: str) -> None:
        need_tool("better-auth/package.json")
        (with_packages(folder) / "whatsapp.mjs").write_text(code)
        shutil.copy(DRIVER, folder)
        self._process = subprocess.Popen(
            [node(), DRIVER.name],
            cwd=folder,
            env=os.environ | {"OTP_URL": url, "OTP_API_KEY": key, "NODE_ENV": "production"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(folder / "log").open("w"),
            text=True,
        )

    def __call__(self, path: str, address: str = "", **body: str) -> Answer:
        assert self._process.stdin
        assert self._process.stdout
        asked = {"path": path, "body": body, "address": address}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer: Answer = json.loads(self._process.stdout.readline())
        return answer

    def send(self, phone: str, address: str = "") -> Answer:
        return self("send-otp", address, phoneNumber=phone)

    def check(self, phone: str, code: str) -> Answer:
        return self("verify", phoneNumber=phone, code=code)

    def stop(self) -> None:
        self._process.communicate()  # the end of its input is its end


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    started: list[BetterAuth] = []

    def run(code: str, url: str, key: str) -> BetterAuth:
        folder = tmp_path_factory.mktemp("better-auth")
        started.append(BetterAuth(folder, BEGINNING + code, url, key))
        return started[-1]

    yield run
    for each in started:
        each.stop()


@pytest.fixture(scope="module", params=[THEIRS, OURS], ids=["messages", "verify-otp"])
def either(request: pytest.FixtureRequest, start: Start, service: Service) -> BetterAuth:
    return start(request.param, service.url, service.key)


@pytest.fixture(scope="module")
def ours(start: Start, service: Service) -> BetterAuth:
    return start(OURS, service.url, service.key)


def refusal(answer: Answer) -> tuple[int, str]:
    return answer["status"], answer["body"]["code"]


def test_who_types_the_code_on_their_phone_is_signed_in(
    either: BetterAuth, service: Service, phone: str
) -> None:
    assert either.send(phone)["status"] == 200
    code = service.arrived(phone)
    assert refusal(either.check(phone, wrong(code))) == (400, "INVALID_OTP")
    signed_in = either.check(phone, code)
    assert signed_in["status"] == 200
    assert signed_in["body"]["user"]["phoneNumber"] == phone
    assert either.check(phone, code)["status"] == 400


def test_who_asks_again_gets_another_code(either: BetterAuth, service: Service, phone: str) -> None:
    either.send(phone)
    first = service.arrived(phone)
    either.send(phone)
    second = service.arrived(phone, number=2)
    assert first == second or either.check(phone, first)["status"] == 400
    assert either.check(phone, second)["status"] == 200


def test_what_is_refused_is_told_in_words_for_the_person(
    either: BetterAuth, service: Service, phone: str
) -> None:
    assert refusal(either.send("+1 202 555 0143")) == (400, "INVALID_PHONE_NUMBER")
    assert refusal(either.send("+12025550143")) == (403, "DESTINATION_NOT_ALLOWED")
    for number in (1, 2):
        assert either.send(phone)["status"] == 200
        service.arrived(phone, number)
    too_many = either.send(phone)
    assert refusal(too_many) == (429, "SEND_LIMIT_EXCEEDED")
    assert too_many["body"]["message"] == "Too many codes for this number. Try again later."


def test_an_end_users_messages_are_counted_by_their_address(
    either: BetterAuth, request: pytest.FixtureRequest
) -> None:
    way = request.node.callspec.indices["either"]
    address, phones = f"198.51.100.{way}", [f"+91981234000{way}", f"+91981234100{way}"]
    answers = [either.send(phone, address) for phone in phones]
    assert [answer["status"] for answer in answers] == [200, 429]


@pytest.mark.parametrize("code", [THEIRS, OURS], ids=["messages", "verify-otp"])
def test_a_service_that_is_away_is_not_the_persons_fault(start: Start, code: str) -> None:
    nobody = start(code, f"http://127.0.0.1:{free_port()}", "a-key")
    assert nobody.send("+919876543210")["status"] == 503


def test_a_wrong_key_is_not_the_persons_fault(start: Start, service: Service) -> None:
    stranger = start(OURS, service.url, "a-wrong-key")
    assert refusal(stranger.send("+919876543210")) == (503, "UNAUTHORIZED")


def test_after_five_wrong_codes_the_right_one_fails_too(
    ours: BetterAuth, service: Service, phone: str
) -> None:
    ours.send(phone)
    code = service.arrived(phone)
    for _ in range(5):
        assert refusal(ours.check(phone, wrong(code))) == (400, "INVALID_OTP")
    assert refusal(ours.check(phone, code)) == (403, "TOO_MANY_ATTEMPTS")


def test_a_code_of_another_length_is_a_wrong_one(ours: BetterAuth, phone: str) -> None:
    assert refusal(ours.check(phone, "12")) == (400, "INVALID_OTP")


def test_a_code_that_nobody_sent_has_expired(ours: BetterAuth, phone: str) -> None:
    assert refusal(ours.check(phone, "123456")) == (400, "OTP_NOT_FOUND")


def test_one_phone_is_one_user_however_it_is_written(
    ours: BetterAuth, service: Service, phone: str
) -> None:
    ours.send(phone)
    code = service.arrived(phone)
    spaced = f"{phone[:3]} {phone[3:]}"
    assert refusal(ours.check(spaced, code)) == (400, "INVALID_OTP")
    users = ours.check(phone, code)["users"]
    assert phone in users
    assert spaced not in users
