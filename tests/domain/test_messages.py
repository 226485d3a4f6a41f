"""Messages as a log or a traceback would show them."""

from __future__ import annotations

from otp_service.domain.messages import Message
from tests.domain.samples import CODE, MESSAGE, PHONE


def test_a_message_shows_neither_its_phone_nor_its_code() -> None:
    shown = repr(Message(PHONE, CODE, 300))
    assert not [secret for secret in (PHONE[1:], CODE) if secret in shown]


def test_a_stored_message_does_not_show_its_phone() -> None:
    assert PHONE[1:] not in repr(MESSAGE)
