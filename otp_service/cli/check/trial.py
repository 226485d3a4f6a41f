"""One real code, through the service's own path, followed until it arrives."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

from otp_service.cli.check import verdict
from otp_service.cli.check.findings import Finding
from otp_service.cli.check.refusals import refusal
from otp_service.domain import failures
from otp_service.domain.drafts import SendOptions
from otp_service.domain.errors import CodeAlreadySent, OtpError
from otp_service.domain.follow_up import LATE_DELIVERY
from otp_service.domain.sending import AUTO
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Channel, Delivery, Person, Verification
from otp_service.web.dependencies import Worker

CLIENT = PURPOSE = "check"
POLL_SECONDS = 0.2
_STAGES = ("submitted", "sent", "delivered", "read", "failed")


class Watcher(Protocol):
    def step(self, seconds: float, text: str) -> None:
        """Something happened, so long after the send began."""

    def waiting(self, seconds: float) -> None:
        """Nothing happened yet."""


@dataclass
class Trial:
    """Sends to ``person`` and watches for ``wait`` seconds; `run` once."""

    service: OtpService
    worker: Worker
    person: Person
    channel: str
    wait: float
    has_sms: bool
    watcher: Watcher
    _seen: dict[tuple[str, str], float] = field(default_factory=dict)
    _began: float = field(default_factory=time.monotonic)

    def run(self) -> Iterator[Finding]:
        """What came of it. The verification is canceled: nobody needs its code."""
        with _working(self.worker):
            sent = self._send()
            if isinstance(sent, Finding):
                yield sent
                return
            try:
                followed = self._follow(sent)
            finally:
                with suppress(OtpError):  # then it ends by itself, in minutes
                    self.service.cancel(CLIENT, sent.id)
        yield from verdict.of(followed, self.wait)

    def _send(self) -> Verification | Finding:
        try:
            return self._sent_anew()
        except OtpError as error:
            return refusal(error, self.channel)

    def _sent_anew(self) -> Verification:
        options = SendOptions(channel=self.channel)
        try:
            return self.service.send(self.person, options).verification
        except CodeAlreadySent as earlier:  # of a check that was broken off
            self.service.cancel(CLIENT, earlier.verification.id)
        return self.service.send(self.person, options).verification

    def _follow(self, verification: Verification) -> Verification:
        while True:
            with suppress(OtpError):
                verification = self.service.get(CLIENT, verification.id)
            for delivery in verification.deliveries:
                self._tell(delivery)
            if self._is_over(verification.deliveries) or self._elapsed > self.wait:
                return verification
            self.watcher.waiting(self._elapsed)
            time.sleep(POLL_SECONDS)

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _tell(self, delivery: Delivery) -> None:
        for stage in _STAGES:
            key = (delivery.id, stage)
            if getattr(delivery, f"{stage}_at") and key not in self._seen:
                self._seen[key] = self._elapsed
                text = f"{stage} ({delivery.channel.value} through {delivery.provider})"
                self.watcher.step(self._elapsed, text)

    def _is_over(self, deliveries: tuple[Delivery, ...]) -> bool:
        if any(verdict.arrived(each) or verdict.stayed_here(each) for each in deliveries):
            return True
        by_sms = any(each.channel is Channel.SMS for each in deliveries)
        may_follow = self.channel == AUTO and self.has_sms and not by_sms
        return not may_follow and all(map(self._has_failed, deliveries))

    def _has_failed(self, delivery: Delivery) -> bool:
        """For good: what is "undeliverable" may arrive after all, some seconds later."""
        if not delivery.failed_at or delivery.error_code != failures.UNDELIVERABLE.code:
            return bool(delivery.failed_at)
        return self._elapsed > self._seen[delivery.id, "failed"] + LATE_DELIVERY + 1


@contextmanager
def _working(worker: Worker) -> Iterator[None]:
    """With a worker in this process: whichever settles a receipt, this one or a server's."""
    if worker.state == "running":
        yield
        return
    thread = threading.Thread(target=worker.run, name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        worker.stop()
        thread.join()
