"""One request and its answer."""

from __future__ import annotations

from otp_service.delivery.http import Answer
from tests.delivery.account import CODE


def test_an_answer_s_repr_does_not_show_its_body() -> None:
    assert CODE not in repr(Answer(200, CODE.encode()))
