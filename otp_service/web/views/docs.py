"""The API's documentation: the OpenAPI document, Swagger UI and ReDoc, all from local files."""

from __future__ import annotations

import json
from http import HTTPStatus

from flask import Response, current_app, render_template, url_for

from otp_service.web import auth, explanations
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.error_handlers import STATUS, envelope
from otp_service.web.errors import NotFound
from otp_service.web.example_refusals import REFUSALS
from otp_service.web.openapi import TITLE, document_of
from otp_service.web.security_headers import content_security_policy

bp = Blueprint("docs", auth.PUBLIC, Tag.PAGES)

_POLICY = content_security_policy(
    worker="blob:", child="blob:", style="'self' 'unsafe-inline'", form="'self'"
)


@bp.get("/openapi.json")
@bp.pages("OpenAPI 3.1", "application/json", {"openapi": "3.1.0"})
def openapi() -> Response:
    """This description, for machines.

    OpenAPI 3.1, made from the code: what these pages show, and what clients are generated from.
    """
    return Response(document_of(current_app).text(), mimetype="application/json")


@bp.get("/docs")
@bp.pages("Swagger UI", "text/html", "<!doctype html>…")
def swagger() -> tuple[str, dict[str, str]]:
    """Try the API in a browser.

    Swagger UI, from this server's own files.
    """
    return _page("swagger.html")


@bp.get("/redoc")
@bp.pages("ReDoc", "text/html", "<!doctype html>…")
def redoc() -> tuple[str, dict[str, str]]:
    """Read the API's reference.

    ReDoc, from this server's own files.
    """
    return _page("redoc.html")


_CODES = sorted({kind.code for kind in STATUS})
_CODE = {
    "name": "code",
    "in": "path",
    "required": True,
    "description": "As in `error.code`",
    "schema": {"type": "string", "enum": _CODES},
}


@bp.get(f"{explanations.PATH}/<string(maxlength=64):code>")
@bp.documented(parameters=[_CODE])
@bp.pages("What the error says", "text/html", "<!doctype html>…", [NotFound])
def explain_error(code: str) -> tuple[str, dict[str, str]]:
    """Read what an error code means.

    The rule behind it, an example of what is right, and the answer that has this code.
    """
    kinds = [kind for kind in STATUS if kind.code == code]
    if not kinds:
        raise NotFound
    html = render_template(
        "error.html",
        title=TITLE,
        code=code,
        messages=sorted({kind.message for kind in kinds}),
        status=HTTPStatus(STATUS[kinds[0]]),
        explanation=explanations.EXPLANATIONS[code],
        answer=json.dumps(envelope(REFUSALS[kinds[0]]), indent=2),
    )
    return html, {"Content-Security-Policy": content_security_policy()}


def _page(template: str) -> tuple[str, dict[str, str]]:
    html = render_template(template, title=TITLE, spec_url=url_for("docs.openapi"))
    return html, {"Content-Security-Policy": _POLICY}
