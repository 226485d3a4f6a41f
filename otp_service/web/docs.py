"""The API's documentation: the OpenAPI document, Swagger UI and ReDoc, all from local files."""

from __future__ import annotations

import flask_smorest
from flask import Flask, Response, current_app, jsonify, render_template, url_for

from otp_service.web import auth
from otp_service.web.blueprints import Blueprint
from otp_service.web.headers import content_security_policy

bp = Blueprint("docs", auth.PUBLIC, "This documentation")

TITLE = "WhatsApp OTP"
_POLICY = content_security_policy(
    worker="blob:", child="blob:", style="'self' 'unsafe-inline'", form="'self'"
)


class Api(flask_smorest.Api):
    """flask-smorest for the document only: errors and pages are our own."""

    def _register_error_handlers(self) -> None:
        """See `web.errors`."""


def init_app(app: Flask, blueprints: list[Blueprint]) -> None:
    """Register the blueprints and make the document of them, once."""
    app.config.update(API_TITLE=TITLE, API_VERSION="1.0.0", OPENAPI_VERSION="3.1.0")
    api = Api(app)
    for scheme, definition in _SECURITY.items():
        api.spec.components.security_scheme(scheme, definition)
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    app.extensions["openapi"] = api.spec.to_dict()


_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer KEY`"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


@bp.get("/openapi.json")
@bp.doc(responses={"200": {"description": "OpenAPI 3.1", "content": {"application/json": {}}}})
def openapi() -> Response:
    """This document."""
    return jsonify(current_app.extensions["openapi"])


@bp.get("/docs")
@bp.pages("Swagger UI")
def swagger() -> tuple[str, dict[str, str]]:
    """Try the API in a browser."""
    return _page("swagger.html")


@bp.get("/redoc")
@bp.pages("ReDoc")
def redoc() -> tuple[str, dict[str, str]]:
    """Read the API's reference."""
    return _page("redoc.html")


def _page(template: str) -> tuple[str, dict[str, str]]:
    html = render_template(template, title=TITLE, spec_url=url_for("docs.openapi"))
    return html, {"Content-Security-Policy": _POLICY}
