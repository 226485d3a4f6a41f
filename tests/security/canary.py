"""Values that may turn up nowhere, a service that is full of them, and the search."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import requests

from otp_service.simulator import Simulator
from tests.faults.loopback import LOOPBACK, free_port
from tests.faults.waiting import until
from tests.web.hooks import callers

ROOT = Path(__file__).parent.parent.parent
PATIENCE = 60  # seconds for a start that takes one or two on an idle machine

TEST_PHONE, FIXED_CODE = "+919876531026", "8306147"
"""Seven digits: too many to occur by chance, too few for the log's net, which would hide a leak."""
CLIENT_IP, FORWARDED_IP = "203.0.113.77", "203.0.113.78"
REQUEST_KEY = "a-canary-for-an-idempotency-key"
ENDPOINT_TOKEN = "canary-of-an-address-for-events"
HOOK_SECRET = "canary-of-the-webhook-8Zq1"
SECRETS = {
    "OTP_SECRET": bytes(range(0xC4, 0xE4)).hex(),
    "GUPSHUP_API_KEY": "canary-gupshup-key-1f",
    "GUPSHUP_WEBHOOK_SECRET": HOOK_SECRET,
    "GUPSHUP_SMS_PASSWORD": "canary/sms password",
    "META_ACCESS_TOKEN": "canary-meta-access-2b",
    "META_APP_SECRET": "canary-meta-app-3c",
    "META_VERIFY_TOKEN": "canary-meta-verify-4d",
    **callers.SETTINGS,
}
SEPARATE = {part for each in SECRETS.values() for part in each.split("|")}


@dataclass
class Canary:
    """Grows with the codes, phones and keys of the run. ``phones`` are E.164.

    ``codes`` have seven digits, ``long_codes`` ten, which none has by chance: found also in what
    a database writes without a gap.
    """

    secrets: set[str] = field(default_factory=SEPARATE.copy)
    codes: set[str] = field(default_factory=lambda: {FIXED_CODE})
    long_codes: set[str] = field(default_factory=set)
    phones: set[str] = field(default_factory=lambda: {TEST_PHONE})

    def phone(self) -> str:
        """Another number, of a prefix of its own."""
        number = len(self.phones)
        phone = f"+9198{number:02}7{number:02}053"
        self.phones.add(phone)
        return phone

    def given_code(self) -> str:
        """Another one, as a caller makes it: of seven digits, then of ten."""
        number = len(self.codes) + len(self.long_codes)
        if number % 2:
            code = f"{5830417 + 7919 * number:07}"
            self.codes.add(code)
        else:
            code = f"{6180339887 + 104729 * number:010}"
            self.long_codes.add(code)
        return code

    def found_in(self, text: str | bytes, *, stored: bool = False) -> set[str]:
        """Which of them are in it. What is ``stored`` may hold phones."""
        text = text.decode("latin-1") if isinstance(text, bytes) else text
        spellings = {
            spelt for each in self.secrets for spelt in (each, quote(each), quote_plus(each))
        }
        never = spellings | {CLIENT_IP, FORWARDED_IP, REQUEST_KEY}
        never |= set() if stored else {ENDPOINT_TOKEN}  # part of an address, which is kept
        found = {each for each in never | self.long_codes if each in text}
        for phone in self.phones:
            national = phone.removeprefix("+91")
            if national in text and not stored:
                found.add(phone)
            text = text.replace(national, "")  # seven of its digits may be a code by chance
        numbers = set(re.findall(r"(?<!\d)\d{7}(?!\d)", re.sub("[0-9a-f]{16,}", "", text)))
        return found | (numbers & self.codes)


class Service:
    """The service on real sockets, as an operator starts it, with its log in a file."""

    def __init__(self, folder: Path, simulator: Simulator, **more: str) -> None:
        self.url = f"http://{LOOPBACK}:{free_port()}"
        self.database = folder / "otp.db"
        self.settings = {
            **SECRETS,
            "DATABASE_URL": f"sqlite:///{self.database}",
            "GUPSHUP_API_URL": simulator.gupshup_url,
            "GUPSHUP_SOURCE": "917834811114",
            "GUPSHUP_TEMPLATE_ID": "a-template",
            "GUPSHUP_SRC_NAME": "DemoApp",
            "GUPSHUP_SMS_API_URL": simulator.sms_url,
            "GUPSHUP_SMS_USERID": "2000000001",
            "META_API_URL": simulator.meta_url,
            "META_PHONE_NUMBER_ID": "158072934066266",
            "META_TEMPLATE": "verification_code",
            "OTP_LENGTH": str(len(FIXED_CODE)),
            "OTP_TEST_NUMBERS": f"{TEST_PHONE}={FIXED_CODE}",
            "OTP_CLIENT_REQUESTS": "off",
            "API_KEYS": "required",
            "LOG_LEVEL": "debug",
            "PORT": self.url.rpartition(":")[2],
        } | more
        self._log = folder / "service.log"
        with self._log.open("w") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.security.breakable"],
                cwd=ROOT,
                env=os.environ | self.settings,
                stdout=file,
                stderr=file,
            )
        simulator.callback_url = f"{self.url}/webhooks/gupshup"
        simulator.callback_secret = HOOK_SECRET
        simulator.sms_callback_url = f"{self.url}/webhooks/gupshup-sms?token={HOOK_SECRET}"
        simulator.meta_callback_url = f"{self.url}/webhooks/meta"
        simulator.meta_app_secret = SECRETS["META_APP_SECRET"]

    @property
    def log(self) -> str:
        return self._log.read_text()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Those of the log; each is JSON, or this fails."""
        return [json.loads(line) for line in self.log.splitlines()]

    def is_up(self) -> bool:
        assert self._process.poll() is None, self.log
        try:
            return requests.get(f"{self.url}/health", timeout=PATIENCE).ok
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)


@contextmanager
def service(folder: Path, simulator: Simulator, **more: str) -> Iterator[Service]:
    started = Service(folder, simulator, **more)
    try:
        until(started.is_up, PATIENCE)
        yield started
    finally:
        started.stop()
