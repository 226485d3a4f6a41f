"""Gupshup's WhatsApp API: sending a template, and the list of templates.

Sources: docs.gupshup.io/docs/template-messages, partner-docs.gupshup.io.
"""

from __future__ import annotations

import json
import re
from datetime import datetime

from flask import Blueprint, Response, request

from otp_service.simulator.base_provider import BaseProvider
from otp_service.simulator.fault_table import WHATSAPP
from otp_service.simulator.http import CallbackRequest
from otp_service.simulator.messages import Draft, Message, international
from otp_service.simulator.options import accepts
from otp_service.simulator.providers import gupshup_callbacks, templates
from otp_service.simulator.providers.templates import Template
from otp_service.simulator.responses import as_json

ERRORS = {
    400: "Invalid Destination",
    401: "Authentication Failed",
    403: "Forbidden",
    429: "Too Many Requests",
    500: "Internal server error. Please try again later",
    503: "Service Unavailable",
}


class Gupshup(BaseProvider):
    name = "gupshup"

    def blueprint(self) -> Blueprint:
        bp = Blueprint("gupshup", __name__)
        bp.post("/wa/api/v1/template/msg")(self.send)
        bp.get("/wa/app/<app_id>/template")(self.list_templates)
        bp.get("/wa/app/<app_id>/template/<template_id>")(self.show_template)
        return bp

    def send(self) -> Response:
        """In the order in which the real one looks: the key, the app, the message."""
        if not self._key_is_right():
            return self.refused(401)
        form = request.form
        if wrong := self._wrong_with(form.to_dict()):
            return _error(400, wrong)
        draft = _draft(form["destination"], form["source"], form["template"])
        if draft is None:
            return _error(400, "Invalid Template Parameters")
        return self.take(draft, templates.by_id(draft.template).trouble(draft.params))

    def list_templates(self, app_id: str) -> Response:
        if not self._key_is_right():
            return self.refused(401)
        shown = [template.describe() for template in templates.TEMPLATES]
        return as_json({"status": "success", "templates": [{**t, "appId": app_id} for t in shown]})

    def show_template(self, app_id: str, template_id: str) -> Response:
        if not self._key_is_right():
            return self.refused(401)
        for template in templates.TEMPLATES:
            if template.id == template_id:
                shown = {**template.describe(), "appId": app_id}
                return as_json({"status": "success", "template": shown})
        return _error(400, "Template not found")

    def accepted(self, message: Message, *, with_id: bool = True) -> Response:
        return as_json(
            {"status": "submitted"} | ({"messageId": message.id} if with_id else {}), 202
        )

    def refused(self, status: int) -> Response:
        return _error(status, ERRORS.get(status, "Error"))

    def error_200(self) -> Response:
        return _error(200, "Invalid Destination")

    def callback(self, message: Message, receipt: str, at: datetime) -> CallbackRequest | None:
        return gupshup_callbacks.callback(message, receipt, at, self._options)

    def _key_is_right(self) -> bool:
        return accepts(self._options.api_key, request.headers.get("apikey", ""))

    def _wrong_with(self, form: dict[str, str]) -> str | None:
        options = self._options
        app, source = form.get("src.name", ""), international(form.get("source", ""))
        if not accepts(options.app_name, app) or form.get("channel", WHATSAPP) != WHATSAPP:
            return "Invalid App Details"
        if source == "+" or (options.source and source != international(options.source)):
            return "Invalid App Details"
        if not re.fullmatch(r"\+?[1-9][0-9]{7,14}", form.get("destination", "")):
            return "Invalid Destination"
        return None if form.get("template") else "Invalid Template Parameters"


def _draft(destination: str, source: str, raw: str) -> Draft | None:
    """None if the template can't be read."""
    try:
        template = json.loads(raw)
        template_id, params = template["id"], template.get("params", [])
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return None
    strings = isinstance(params, list) and all(isinstance(p, str) for p in params)
    if not isinstance(template_id, str) or not strings:
        return None
    known = templates.by_id(template_id)
    return Draft(
        provider="gupshup",
        channel=WHATSAPP,
        phone=international(destination),
        sender=international(source),
        template=template_id,
        params=params,
        text=known.text(params),
        code=params[0] if params else "",
        copies=_copied(known, params),
    )


def _copied(template: Template, params: list[str]) -> str | None:
    """With one value too few the text is right, but the button copies a placeholder."""
    if not template.button:
        return None
    return params[1] if len(params) > 1 else "{{1}}"


def _error(status: int, words: str) -> Response:
    return as_json({"status": "error", "message": words}, status)
