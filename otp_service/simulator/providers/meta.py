"""Meta's WhatsApp Cloud API: sending an authentication template (developers.facebook.com)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request

from otp_service.simulator.base_provider import BaseProvider
from otp_service.simulator.fault_table import WHATSAPP
from otp_service.simulator.http import CallbackRequest
from otp_service.simulator.messages import Draft, Message, international
from otp_service.simulator.options import accepts
from otp_service.simulator.providers import meta_callbacks, templates
from otp_service.simulator.responses import as_json

# A fault's HTTP status → Meta's code and words
ERRORS = {
    400: (100, "Invalid parameter"),
    401: (190, "Invalid OAuth access token - Cannot parse access token"),
    403: (10, "Application does not have permission for this action"),
    429: (130429, "(#130429) Rate limit hit"),
    500: (1, "An unknown error occurred"),
    503: (2, "Service temporarily unavailable"),
}


class Meta(BaseProvider):
    name = "meta"

    def blueprint(self) -> Blueprint:
        bp = Blueprint("meta", __name__)
        bp.post("/<version>/<sender>/messages")(self.send)
        bp.get("/v<version>/<node>")(self.show_node)
        bp.get("/v<version>/<account>/message_templates")(self.list_templates)
        return bp

    def show_node(self, version: str, node: str) -> Response:
        """A number, and how it and the account it belongs to are."""
        if not self._token_is_right():
            return self.refused(401)
        if not node.isdecimal():
            return self.refused(400)
        shown: dict[str, Any] = {"id": node}
        if "health_status" in request.args.get("fields", ""):
            shown["health_status"] = meta_callbacks.health(node)
        return as_json(shown)

    def list_templates(self, version: str, account: str) -> Response:
        """As Meta's own, ``name`` is a part of the name."""
        if not self._token_is_right():
            return self.refused(401)
        if account != meta_callbacks.ACCOUNT_ID:
            return self.refused(400)
        name = request.args.get("name", "")
        shown = [each.describe_for_meta() for each in templates.TEMPLATES if name in each.name]
        return as_json({"data": shown, "paging": {"cursors": {"before": "MA", "after": "MA"}}})

    def send(self, version: str, sender: str) -> Response:
        if not self._token_is_right():
            return self.refused(401)
        body = request.get_json(force=True, silent=True)
        draft = _draft(body, sender) if isinstance(body, dict) else None
        if draft is None:
            return self.refused(400)
        if not draft.params or draft.copies is None:
            words = "(#132000) Number of parameters does not match the expected number of params"
            return _error(400, 132000, words)
        paused = templates.by_id(draft.template).status == "PAUSED"
        return self.take(draft, "failed:132015" if paused else "")

    def _token_is_right(self) -> bool:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return accepts(self._options.meta_token, token)

    def accepted(self, message: Message, *, with_id: bool = True) -> Response:
        number = message.phone.lstrip("+")
        return as_json(
            {
                "messaging_product": "whatsapp",
                "contacts": [{"input": number, "wa_id": number}],
                "messages": [{"id": message.id}] if with_id else [],
            }
        )

    def refused(self, status: int) -> Response:
        return _error(status, *ERRORS.get(status, (2, "Error")))

    def error_200(self) -> Response:
        return _error(200, *ERRORS[400])

    def callback(self, message: Message, receipt: str, at: datetime) -> CallbackRequest | None:
        return meta_callbacks.callback(message, receipt, at, self._options)


def _draft(body: Mapping[str, Any], sender: str) -> Draft | None:
    """None if it is no template message to somebody."""
    try:
        phone = international(body["to"])
        name = str(body["template"]["name"])
        language = str(body["template"]["language"]["code"])
        values = _values(body["template"].get("components", []))
    except (KeyError, TypeError, AttributeError, IndexError):
        return None
    right_kind = body.get("messaging_product") == "whatsapp" and body.get("type") == "template"
    if not right_kind or not re.fullmatch(r"\+[1-9][0-9]{7,14}", phone):
        return None
    params = values.get("body", [])
    opaque = body.get("biz_opaque_callback_data")
    return Draft(
        provider="meta",
        channel=WHATSAPP,
        phone=phone,
        sender=sender,
        template=name,
        params=params,
        text=templates.by_id(name).text(params),
        code=params[0] if params else "",
        language=language,
        copies=next(iter(values.get("button", [])), None),
        opaque=opaque if isinstance(opaque, str) else None,
    )


def _values(components: list[Mapping[str, Any]]) -> dict[str, list[str]]:
    return {
        str(part["type"]).lower(): [str(value["text"]) for value in part["parameters"]]
        for part in components
    }


def _error(status: int, code: int, words: str) -> Response:
    error = {"message": words, "type": "OAuthException", "code": code}
    trace = hashlib.sha256(words.encode()).hexdigest()[:22]
    return as_json({"error": {**error, "fbtrace_id": trace}}, status)
