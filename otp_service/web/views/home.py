"""What is at the root: in the sandbox a tour of the service, else where its documentation is."""

from __future__ import annotations

from flask import Response, jsonify, render_template, request

from otp_service.web import auth
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.security_headers import content_security_policy

ABOUT = {
    "service": "WhatsApp OTP API",
    "documentation": "/docs",
    "openapi": "/openapi.json",
    "health": "/health",
}
_POLICY = content_security_policy()


def tour_blueprint(number: str, code: str) -> Blueprint:
    """A page that sends to ``number`` and checks ``code``, which is empty if it is not fixed."""
    bp = Blueprint("home", auth.PUBLIC, Tag.PAGES)

    @bp.get("/")
    @bp.pages("A tour of the service", "text/html", "<!doctype html>…")
    def tour() -> tuple[str, dict[str, str]]:
        """Take a tour: send a code, see it, check it, read on.

        A page for people. With a real sender there is a small JSON object instead.
        """
        origin = request.host_url.rstrip("/")
        html = render_template("home.html", origin=origin, number=number, code=code)
        return html, {"Content-Security-Policy": _POLICY}

    return bp


def about_blueprint() -> Blueprint:
    bp = Blueprint("home", auth.PUBLIC, Tag.PAGES)

    @bp.get("/")
    @bp.pages("Where the documentation is", "application/json", ABOUT)
    def about() -> Response:
        """Find the documentation.

        In the sandbox there is a page for people instead.
        """
        return jsonify(ABOUT)

    return bp
