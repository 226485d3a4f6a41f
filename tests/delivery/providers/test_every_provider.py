"""What holds for each provider in the list: who adds one is told here what was left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from otp_service.delivery.failure_codes import FAMILIES
from otp_service.delivery.provider import Provider
from otp_service.delivery.providers import PROVIDERS
from otp_service.domain.callbacks import Callback, SharedSecret
from otp_service.domain.messages import Message
from otp_service.environment import Reader

MESSAGE = Message("+919876543210", "048213", expires_in=300, delivery_id="d0")
URL = "https://provider.test/send"
Kind = type[Provider]

every = pytest.mark.parametrize("kind", PROVIDERS, ids=lambda kind: kind.name)


def names(kind: Kind) -> list[str]:
    return [f"{kind.prefix}{name}" for name in kind.own.split()]


def filled(kind: Kind) -> tuple[Provider, Reader]:
    """An account of which each variable holds a text of its own."""
    environ = {name: f"canary-{name.lower()}" for name in names(kind)}
    read = Reader(environ | {f"{kind.prefix}API_URL": URL})
    return kind.from_env(read), read


def callbacks(provider: Provider) -> Iterator[Callback]:
    return (each for each in provider.callbacks if isinstance(each, Callback))


def test_names_and_variables_are_told_apart() -> None:
    assert len({kind.name for kind in PROVIDERS}) == len(PROVIDERS)
    every_name = [name for kind in PROVIDERS for name in names(kind)]
    assert len(set(every_name)) == len(every_name)


@every
def test_it_reads_each_of_its_own_variables(kind: Kind) -> None:
    _, read = filled(kind)
    assert set(names(kind)) <= set(read.variables)
    assert f"{kind.prefix}API_URL" in names(kind)


@every
def test_without_them_it_says_what_is_missing(kind: Kind) -> None:
    read = Reader({})
    missing = kind.from_env(read).missing
    assert missing
    assert set(missing) <= set(names(kind))
    assert read.problems == []
    assert filled(kind)[0].missing == []


@every
def test_half_an_account_is_a_problem(kind: Kind) -> None:
    name = names(kind)[0]
    read = Reader({name: "canary"})
    missing = kind.from_env(read).missing
    assert [f"{each} is missing: set it, or unset {name}" for each in missing] == read.problems[
        : len(missing)
    ]


@every
def test_what_it_calls_its_secrets_is_redacted_and_shown_nowhere(kind: Kind) -> None:
    provider, read = filled(kind)
    assert provider.secrets
    assert set(provider.secrets) <= read.redacted
    shown = f"{provider.describe()} {provider.preview(MESSAGE)} {vars(provider)}"
    assert [secret for secret in read.redacted if secret in shown] == []


@every
def test_its_request_carries_the_code_and_goes_where_its_variable_says(kind: Kind) -> None:
    request = filled(kind)[0].request(MESSAGE)
    assert request.url.startswith(URL)
    assert MESSAGE.phone[1:] in f"{request.data} {request.json}"
    assert kind.from_env(Reader({})).request(MESSAGE).method == "POST"


@every
def test_its_codes_are_in_the_table(kind: Kind) -> None:
    assert kind.family in FAMILIES


@every
@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b"\xff", b"5", b"null"])
def test_an_answer_that_says_nothing_took_no_message(kind: Kind, body: bytes) -> None:
    answer = kind.from_env(Reader({})).read(body)
    assert answer.message_id is None
    answer.trouble()


@every
def test_what_it_calls_is_documented_and_closed_without_a_secret(kind: Kind) -> None:
    for callback in callbacks(kind.from_env(Reader({}))):
        assert callback.path.startswith("/webhooks/")
        assert callback.description
        how = callback.authentication
        if isinstance(how, SharedSecret):
            assert how == replace(how, secret="")
        else:
            assert not how.is_authentic(b"{}", "")


@every
@pytest.mark.parametrize("body", [{}, {"entry": 5}, {"response": [None]}, {"payload": "x"}])
def test_what_is_no_receipt_is_left_out(kind: Kind, body: Any) -> None:
    for callback in callbacks(kind.from_env(Reader({}))):
        assert list(callback.read(body)) == []
