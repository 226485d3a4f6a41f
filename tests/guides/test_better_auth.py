"""The code of docs/integrations/better-auth.md, in better-auth's own plugin."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.faults.loopback import free_port
from tests.faults.waiting import PATIENCE, until
from tests.guides.conftest import Service
from tests.guides.pages import blocks, page, with_packages
from tests.storage.helpers import wrong
from tests.system import need_program, need_tool, node

PAGE = page("integrations/better-auth.md")
BEGINNING, THEIRS, OURS, SERVER = blocks(PAGE, "js")
Answer = tuple[int, dict[str, Any]]
Start = Callable[..., "BetterAuth"]


class BetterAuth:
    """The page's backend, in a process of its own."""

    def __init__(self, folder: Path, code: str, url: str, key: str) -> None:
        need_tool("better-auth/package.json")
        port = str(free_port())
        (with_packages(folder) / "whatsapp.mjs").write_text(code)
        (folder / "server.mjs").write_text(SERVER.replace("3000", port))
        secret = {"BETTER_AUTH_SECRET": "aVerySecretSecretOf40CharactersForTests!"}
        self.url = f"http://localhost:{port}"
        self._log = (folder / "log").open("w")
        self._process = subprocess.Popen(
            [node(), "server.mjs"],
            cwd=folder,
            env=os.environ | secret | {"OTP_URL": url, "OTP_API_KEY": key},
            stdout=self._log,
            stderr=self._log,
        )
        until(self._is_up)

    def _is_up(self) -> bool:
        try:
            return requests.get(f"{self.url}/api/auth/ok", timeout=PATIENCE).ok
        except requests.ConnectionError:
            assert self._process.poll() is None
            return False

    def __call__(self, path: str, address: str = "", **body: str) -> Answer:
        headers = {"Origin": self.url} | ({"X-Forwarded-For": address} if address else {})
        where = f"{self.url}/api/auth/phone-number/{path}"
        answer = requests.post(where, json=body, headers=headers, timeout=PATIENCE)
        return answer.status_code, answer.json()

    def send(self, phone: str, address: str = "") -> Answer:
        return self("send-otp", address, phoneNumber=phone)

    def check(self, phone: str, code: str) -> Answer:
        return self("verify", phoneNumber=phone, code=code)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)
        self._log.close()


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
    return answer[0], answer[1]["code"]


def test_who_types_the_code_on_their_phone_is_signed_in(
    either: BetterAuth, service: Service, phone: str
) -> None:
    assert either.send(phone) == (200, {"message": "code sent"})
    code = service.arrived(phone)
    assert refusal(either.check(phone, wrong(code))) == (400, "INVALID_OTP")
    status, signed_in = either.check(phone, code)
    assert (status, signed_in["user"]["phoneNumber"]) == (200, phone)
    assert either.check(phone, code)[0] == 400


def test_who_asks_again_gets_another_code(either: BetterAuth, service: Service, phone: str) -> None:
    either.send(phone)
    first = service.arrived(phone)
    either.send(phone)
    second = service.arrived(phone, number=2)
    assert first == second or either.check(phone, first)[0] == 400
    assert either.check(phone, second)[0] == 200


def test_what_is_refused_is_told_in_words_for_the_person(
    either: BetterAuth, service: Service, phone: str
) -> None:
    assert refusal(either.send("+1 202 555 0143")) == (400, "INVALID_PHONE_NUMBER")
    assert refusal(either.send("+12025550143")) == (403, "DESTINATION_NOT_ALLOWED")
    for number in (1, 2):
        assert either.send(phone)[0] == 200
        service.arrived(phone, number)
    too_many = either.send(phone)
    assert refusal(too_many) == (429, "SEND_LIMIT_EXCEEDED")
    assert too_many[1]["message"] == "Too many codes for this number. Try again later."


def test_an_end_users_messages_are_counted_by_their_address(
    either: BetterAuth, request: pytest.FixtureRequest
) -> None:
    way = request.node.callspec.indices["either"]
    address, phones = f"198.51.100.{way}", [f"+91981234000{way}", f"+91981234100{way}"]
    answers = [either.send(phone, address) for phone in phones]
    assert [status for status, _ in answers] == [200, 429]


@pytest.mark.parametrize("code", [THEIRS, OURS], ids=["messages", "verify-otp"])
def test_a_service_that_is_away_is_not_the_persons_fault(start: Start, code: str) -> None:
    nobody = start(code, f"http://127.0.0.1:{free_port()}", "a-key")
    assert nobody.send("+919876543210")[0] == 503


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
    assert ours.check(phone, code)[1]["user"]["phoneNumber"] == phone


def test_the_commands_of_the_page_sign_somebody_in(start: Start, service: Service) -> None:
    """As they stand, against the page's own server; the number's code is read off the phone."""
    need_program("curl", package="curl")
    theirs = start(THEIRS, service.url, service.key)
    _, send, verify = blocks(PAGE, "bash")

    def curled(command: str) -> dict[str, Any]:
        here = command.replace("http://localhost:3000", theirs.url)
        done = subprocess.run(["bash", "-ec", here], capture_output=True, text=True, check=True)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    assert curled(send) == {"message": "code sent"}
    code = service.arrived("+919876543210")
    assert curled(verify.replace("CODE", code))["status"] is True
