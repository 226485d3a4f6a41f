"""Each call of the service and of the operator once, under the eyes of an `Explainer`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from unittest.mock import patch

from flask import Flask

from bench.plans import Explainer
from otp_service.delivery.providers.sandbox import SandboxSender
from otp_service.domain.drafts import SendOptions
from otp_service.domain.errors import CodeIncorrect, DeliveryFailed, DeliveryUnconfirmed
from otp_service.domain.messages import Receipt
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Channel, DeliveryStatus, Person
from otp_service.storage.outbox import Messages


def explain_requests(explainer: Explainer, service: OtpService, people: Iterator[Person]) -> None:
    """What people wait for: send, resend, verify, get, cancel."""
    person = next(people)
    with explainer.watching("send"):
        service.send(person, SendOptions(address="203.0.113.7"))
    with explainer.watching("resend"):
        sent = service.resend(person)
    with explainer.watching("verify"), suppress(CodeIncorrect):
        service.verify(person, "x")
    with explainer.watching("get"):
        service.get(person.client, sent.verification.id)
    with explainer.watching("cancel"):
        service.cancel(person.client, sent.verification.id)
    _explain_repeats(explainer, service, people)
    _explain_failures(explainer, service, people)


def _explain_repeats(explainer: Explainer, service: OtpService, people: Iterator[Person]) -> None:
    """With an Idempotency-Key."""
    person, key = next(people), service.request_key("public", "key", "request")
    with explainer.watching("send, keyed"):
        service.send(person, SendOptions(key=key))
        service.send(person, SendOptions(key=key))
    with explainer.watching("verify, keyed"), suppress(CodeIncorrect):
        service.verify(person, "x", key=key)


def explain_worker(
    explainer: Explainer, service: OtpService, messages: Messages, person: Person
) -> None:
    """What goes on beside requests."""
    with explainer.watching("webhook"):
        messages.keep([Receipt("gupshup", "unknown", DeliveryStatus.DELIVERED)])
    service.send(person, SendOptions(background=True))
    with explainer.watching("worker"):
        messages.settle(10, lambda _: 0.0)
        (message,) = messages.take(10)
        following = messages.follow(
            message, Channel.SMS, "gupshup-sms", DeliveryFailed(), due_in=0.0
        )
        assert following
        (taken,) = messages.take(10)
        messages.postpone(taken, DeliveryUnconfirmed(), None)
        messages.close(following)


def _explain_failures(explainer: Explainer, service: OtpService, people: Iterator[Person]) -> None:
    """When the provider is in trouble, every send takes these ways."""
    for call, error in (("refused", DeliveryFailed), ("unconfirmed", DeliveryUnconfirmed)):
        failing = patch.object(SandboxSender, "send", side_effect=error)
        with explainer.watching(f"send, {call}"), failing, suppress(error):
            service.send(next(people))


def explain_commands(explainer: Explainer, app: Flask, impatient: Flask, phone: str) -> None:
    """What runs at night. ``impatient`` keeps a day: nearly all is too old, as at a first run."""
    commands = app.test_cli_runner()
    with explainer.watching("why"):
        commands.invoke(args=["otp", "why", phone], catch_exceptions=False)
    with explainer.watching("unlock"):
        commands.invoke(args=["otp", "unlock", phone], catch_exceptions=False)
    with explainer.watching("audit"):
        commands.invoke(args=["otp", "audit", "--phone", phone], catch_exceptions=False)
    with explainer.watching("erase"):
        commands.invoke(args=["otp", "erase", phone], catch_exceptions=False)
    with explainer.watching("cleanup, backlog", run=False):
        impatient.test_cli_runner().invoke(args=["otp", "cleanup"], catch_exceptions=False)
    with explainer.watching("cleanup"):
        commands.invoke(args=["otp", "cleanup"], catch_exceptions=False)
