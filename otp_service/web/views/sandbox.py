"""The phone that the sandbox sender delivers to: a page, and the messages on it."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template

from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.phone import grouped
from otp_service.domain.ports import StoredMessage
from otp_service.domain.service import OtpService
from otp_service.web import auth
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.bodies import answer
from otp_service.web.examples import SENT
from otp_service.web.fields import PHONE, Answer, Text, Time
from otp_service.web.responses import shape
from otp_service.web.security_headers import content_security_policy

_POLICY = content_security_policy()
_MESSAGE_TEXT = "{code} is your verification code. For your security, do not share this code."
_NOT_KEPT = "••••••"
_INBOX = {
    "messages": [
        {
            "id": "d",
            "phone_number": PHONE,
            "shown_number": "+91 98765 43210",
            "purpose": "login",
            "text": _MESSAGE_TEXT.format(code="123456"),
            "code": "123456",
            "status": "pending",
            "sent_at": SENT["expires_at"],
            "expires_at": SENT["expires_at"],
        }
    ]
}


class InboxMessageSchema(Answer):
    """A message as the sandbox's phone shows it; ``status`` is its verification's."""

    id = Text("Names this message", "d0", attribute="delivery.id", required=True)
    phone_number = Text("E.164", PHONE, attribute="verification.phone", required=True)
    shown_number = Text("As its country groups the digits", "+91 98765 43210", required=True)
    purpose = Text("What is being proved", "login", attribute="verification.purpose", required=True)
    text = Text("What the phone shows", "123456 is your verification code.", required=True)
    code = Text("The digits in it; empty once they are not kept any more", "123456", required=True)
    status = Text("Its verification's, or `replaced` by a newer code", "pending", required=True)
    sent_at = Time("When it was sent", attribute="delivery.created_at", required=True)
    expires_at = Time("When its code ends", attribute="expires_at", required=True)


_MESSAGE = InboxMessageSchema()


def blueprint(service: OtpService) -> Blueprint:
    bp = Blueprint("sandbox", auth.PUBLIC, Tag.PAGES)

    @bp.get("/sandbox")
    @bp.pages("A phone's chat", "text/html", "<!doctype html>…")
    def page() -> tuple[str, dict[str, str]]:
        """The phone that the sandbox delivers to.

        A page for people; there is none with a real sender.
        """
        try:
            shown = _inbox(service)  # for browsers without JavaScript
        except StorageUnavailable:  # then the page itself says so, and tries again
            shown = []
        html = render_template("sandbox.html", brand="WhatsApp OTP", messages=shown)
        return html, {"Content-Security-Policy": _POLICY}

    @bp.get("/sandbox/messages")
    @bp.responds(
        "Sandbox messages",
        {"title": "Inbox", **shape(_INBOX)},
        _INBOX,
        [StorageUnavailable],
    )
    def messages() -> Response:
        """The messages on the sandbox's phone.

        The newest 50, oldest first.
        """
        return answer("Sandbox messages", {"messages": _inbox(service)})

    return bp


def _inbox(service: OtpService) -> list[dict[str, Any]]:
    shown = [_shown(message, code) for message, code in service.inbox()]
    dumped: list[dict[str, Any]] = _MESSAGE.dump(shown, many=True)
    return dumped


def _shown(message: StoredMessage, code: str) -> dict[str, Any]:
    shown = "replaced" if message.replaced else message.verification.status.value
    return {
        **vars(message),
        "shown_number": grouped(message.verification.phone),
        "code": code,
        "text": _MESSAGE_TEXT.format(code=code or _NOT_KEPT),
        "status": shown,
    }
