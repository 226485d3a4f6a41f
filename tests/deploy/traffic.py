"""What people and providers do to a service in a good hour, and in a bad one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import requests

from otp_service.simulator import Simulator
from tests.delivery.events import template
from tests.faults.processes import Server
from tests.faults.proxy import Proxy
from tests.faults.service import Answer
from tests.faults.waiting import until
from tests.storage.helpers import wrong

SECRET = "a-webhook-secret-of-the-tests"
FIXED_LINE = "+442079460000"
TEMPLATE = "5a1e0000-0000-4000-8000-000000000002"
SETTINGS = {
    "GUPSHUP_API_KEY": "k" * 20,
    "GUPSHUP_SOURCE": "917834811114",
    "GUPSHUP_TEMPLATE_ID": TEMPLATE,
    "GUPSHUP_SRC_NAME": "DemoApp",
    "GUPSHUP_WEBHOOK_SECRET": SECRET,
    "GUPSHUP_SMS_USERID": "2000000001",
    "GUPSHUP_SMS_PASSWORD": "a-password",
    "OTP_PUMPING_NUMBERS": "2/10m",
    "OTP_CLIENT_REQUESTS": "off",
    "API_KEYS": "required",
}


@dataclass
class Traffic:
    """``scraped`` waits until Prometheus has seen what was done so far. ``asked`` and ``verified``
    count codes.
    """

    service: Server
    simulator: Simulator
    postgres: Proxy
    scraped: Callable[[], None]
    asked: int = 0
    verified: int = 0
    _phones: int = field(default=0)

    def good_hour(self) -> None:
        """Two who sign in; one of them mistypes first."""
        for typing_error in (False, True):
            phone = self._phone()
            self._send(phone)
            code = self._code(phone)
            if typing_error:
                assert self.service.verify(wrong(code), phone).code == "invalid_otp"
            self._verify(code, phone)
        self.simulator.settle()

    def bad_hour(self) -> None:
        self._somebody_attacks()
        self._whatsapp_fails()
        self._sms_goes_down()
        self._a_template_is_paused()
        self.simulator.settle()
        self._postgres_goes_away()

    def _somebody_attacks(self) -> None:
        phone = self._phone()
        answers = [self._send(phone)] + [self._resend(phone) for _ in range(6)]
        assert answers[-1].code == "send_limit_exceeded"
        assert self._send(FIXED_LINE).code == "destination_not_allowed"
        family = self._phone()[:-1]
        for last in "1234":  # numbers of one prefix
            self._send(family + last)

    def _whatsapp_fails(self) -> None:
        self.simulator.script(next=1, fault="failed:131026")  # and the SMS follows
        self._send(self._phone(), channel="auto")
        self.simulator.settle()
        self.simulator.script(next=1, fault="http:401")
        assert self._send(self._phone(), channel="whatsapp").code == "delivery_failed"

    def _sms_goes_down(self) -> None:
        self.simulator.script(fault="sms-http:500")
        for _ in range(4):  # at the fourth the circuit is open
            self._send(self._phone(), channel="sms")
        assert self._send(self._phone(), channel="sms").code == "delivery_unavailable"
        self.simulator.reset()

    def _a_template_is_paused(self) -> None:
        event = template(id=TEMPLATE, type="status-update", status="paused")
        told = requests.post(
            f"{self.service.url}/webhooks/gupshup",
            json=event,
            headers={"Authorization": f"Bearer {SECRET}"},
            timeout=30,
        )
        assert told.ok

    def _postgres_goes_away(self) -> None:
        phone = self._phone()
        self._send(phone)
        code = self._code(phone)
        self.postgres.refuse()
        self._send(self._phone())
        assert self.service.verify(code, phone).code == "storage_unavailable"
        self.scraped()
        self.postgres.heal()
        until(lambda: str(self.service.ready().data["database"]) == "ok", 60)

    def _phone(self) -> str:
        """Another number, of a prefix of its own."""
        self._phones += 1
        return f"+9198{self._phones:02}7{self._phones:02}053"

    def _send(self, phone: str, **more: object) -> Answer:
        self.asked += 1
        return self.service.send(phone, **more)

    def _resend(self, phone: str) -> Answer:
        self.asked += 1
        return self.service.resend(phone)

    def _verify(self, code: str, phone: str) -> None:
        assert self.service.verify(code, phone).code == "ok"
        self.verified += 1

    def _code(self, phone: str) -> str:
        code = self.simulator.last_code(phone)
        assert code
        return code
