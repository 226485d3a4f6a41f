"""Codes that other systems make and check: delivered here, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flask import Response, g

from otp_service.domain import verification
from otp_service.domain.errors import MessageNotFound, RequestLimitExceeded, StorageUnavailable
from otp_service.domain.relaying import Relaying
from otp_service.web import auth, examples, send_requests
from otp_service.web.answer_schemas import MessageSchema, RelayedSchema
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.bodies import answer
from otp_service.web.fields import MESSAGE_ID
from otp_service.web.message_request import code_of, documented_schemas, message_schema
from otp_service.web.otp_docs import IDEMPOTENCY_KEY, MESSAGE_REFUSALS, PREFER
from otp_service.web.send_requests import Body

_FAILS = [MessageNotFound, RequestLimitExceeded, StorageUnavailable]
_ITS_ID = "$response.body#/data/message_id"
_ID = {
    "title": "MessageId",
    "name": "message_id",
    "in": "path",
    "required": True,
    "description": "As in the answer to `POST /messages`",
    "schema": {
        "type": "string",
        "pattern": f"^{verification.VERIFICATION_ID}$",
        "example": MESSAGE_ID,
    },
}
_LINK = {"operationId": "get_message", "parameters": {"message_id": _ITS_ID}}
_LOOK_AT_IT = {status: {"links": {"getMessage": _LINK}} for status in ("200", "202")}
_RELAYED = RelayedSchema()
_OF_ALL, _OF_ONE = MessageSchema(), MessageSchema(exclude=["client"])


def blueprint(relaying: Relaying, channels: Iterable[str]) -> Blueprint:
    """Over these channels."""
    bp = Blueprint("messages", auth.OTP, Tag.MESSAGES)
    channels = list(channels)
    body_schema = message_schema(channels)()

    @bp.post("/messages")
    @bp.takes(body_schema, examples.ANY_MESSAGE, documented_schemas(channels))
    @bp.documented(parameters=[IDEMPOTENCY_KEY, PREFER], responses=_LOOK_AT_IT)
    @bp.replays()
    @bp.accepts("Message will be sent", RelayedSchema, examples.QUEUED)
    @bp.responds("Message sent", RelayedSchema, examples.RELAYED, MESSAGE_REFUSALS)
    def send_message(body: Body) -> Response:
        """Deliver a code that your own system made and checks.

        Give it as `otp`, or as the `text` that you would have sent: what goes out is the code in our
        template, never the text's words. It is kept sealed until it is out, then wiped.
        """  # noqa: E501 (the document has these very lines)
        options = send_requests.options(body, relaying.request_key)
        done = relaying.relay(
            send_requests.person(body), code_of(body), options, expires_in=body.get("expires_in")
        )
        data = _RELAYED.dump(done)
        later = "Message will be sent"
        return send_requests.sent("Message sent", later, data, options, repeated=done.repeated)

    return bp


def reading_blueprint(relaying: Relaying) -> Blueprint:
    bp = Blueprint("message", auth.READ, Tag.MESSAGES, auth.OTP, auth.SUPPORT)

    @bp.get("/messages/<string(maxlength=64):message_id>")
    @bp.documented(parameters=[_ID])
    @bp.responds("Message found", MessageSchema, examples.MESSAGE, _FAILS)
    def get_message(message_id: str) -> Response:
        """Look at a message that you had delivered.

        What became of it and why, as a verification tells of its deliveries. A key with the scope
        `support` sees every client's, and each look is in the audit trail.
        """
        if not re.fullmatch(verification.VERIFICATION_ID, message_id):
            raise MessageNotFound
        support = auth.looks_at_all()
        found = relaying.get(g.client, message_id, support=support)
        return answer("Message found", (_OF_ALL if support else _OF_ONE).dump(found))

    return bp
