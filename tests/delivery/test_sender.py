"""A sender, over answers that take the message or may have."""

from __future__ import annotations

import pytest
from requests_mock import Mocker

from otp_service.domain.errors import (
    DeliveryFailed,
    DeliveryUnconfirmed,
)
from otp_service.domain.messages import Sender
from tests.delivery.account import KEY, MESSAGE, SETTINGS, URL, refusal


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("word", ["submitted", "success", None])
def test_any_2xx_with_an_id_is_accepted(
    requests_mock: Mocker, sender: Sender, status: int, word: str | None
) -> None:
    requests_mock.post(URL, status_code=status, json={"status": word, "messageId": "id-1"})
    assert sender.send(MESSAGE) == "id-1"


def test_an_acceptance_may_have_half_a_character(requests_mock: Mocker, sender: Sender) -> None:
    requests_mock.post(URL, text=r'{"messageId": "id-1", "message": "sent \ud83d"}')
    assert sender.send(MESSAGE) == "id-1"


def test_the_content_type_of_an_answer_does_not_matter(
    requests_mock: Mocker, sender: Sender
) -> None:
    requests_mock.post(URL, text='{"messageId": "id-1"}', headers={"Content-Type": "text/html"})
    assert sender.send(MESSAGE) == "id-1"


def test_an_error_with_an_id_is_still_an_error(sender: Sender) -> None:
    body = {"status": "error", "messageId": "id-1", "message": "Invalid Destination"}
    error = refusal(sender, status_code=200, json=body)
    assert (type(error), error.reason) == (DeliveryFailed, "Invalid Destination")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "{}",
        "[]",
        "null",
        '{"messageId": ""}',
        '{"messageId": "  "}',
        '{"messageId": 5}',
        '{"messageId": "a\\u0000b"}',
        '{"messageId": "%s"}' % ("x" * 201),
        '{"status": "submitted", "code": 1002}',
        '{"status":',
        "[" * 60_000,
    ],
)
def test_a_2xx_that_tells_no_id_may_have_been_accepted(sender: Sender, body: str) -> None:
    assert type(refusal(sender, status_code=202, text=body)) is DeliveryUnconfirmed


def test_neither_settings_nor_sender_show_the_key(sender: Sender) -> None:
    assert KEY not in repr(SETTINGS) + repr(sender) + repr(vars(sender))
