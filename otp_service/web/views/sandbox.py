"""The phone that the sandbox sender delivers to: a page, and the messages on it."""

from __future__ import annotations

from typing import Any

from flask import Response, render_template

from otp_service.domain.errors import StorageUnavailable
from otp_service.domain.phone import grouped
from otp_service.domain.ports import StoredMessage
from otp_service.domain.service import OtpService
from otp_service.web import auth, examples
from otp_service.web.blueprint import Blueprint, Tag, answer
from otp_service.web.schemas import InboxMessageSchema
from otp_service.web.security_headers import content_security_policy

_POLICY = content_security_policy()


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
    @bp.answers(
        "Sandbox messages",
        {"title": "Inbox", **examples.shape(examples.INBOX)},
        examples.INBOX,
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
    dumped: list[dict[str, Any]] = InboxMessageSchema(many=True).dump(shown)
    return dumped


def _shown(message: StoredMessage, code: str) -> dict[str, Any]:
    shown = "replaced" if message.replaced else message.verification.status.value
    return {
        **vars(message),
        "shown_number": grouped(message.verification.phone),
        "code": code,
        "text": examples.MESSAGE_TEXT.format(code=code),
        "status": shown,
    }
