"""What requests for a message have in common: for whom, how, and when they are answered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from flask import Response, g

from otp_service.domain import errors
from otp_service.domain.drafts import RequestKey, SendOptions
from otp_service.domain.verification import Person
from otp_service.web.bodies import answer
from otp_service.web.fields import needed
from otp_service.web.unproxied import header, the_request

Body = dict[str, Any]
MakeKey = Callable[[str, str, str], RequestKey]
"""Of a client, its key, and the request that came with it."""


def person(body: Body) -> Person:
    return Person(g.client, body["phone_number"], body["purpose"])


def options(body: Body, make_key: MakeKey) -> SendOptions:
    return SendOptions(
        channel=body["channel"],
        locale=body.get("locale"),
        background=_need_not_wait(),
        key=request_key(body, make_key),
        address=body.get("client_ip"),
    )


def _need_not_wait() -> bool:
    """Whether the caller prefers an answer before the message is sent (RFC 7240, 4.1)."""
    preferences = (header(the_request(), "Prefer") or "").lower().split(",")
    return "respond-async" in (each.partition(";")[0].strip() for each in preferences)


def request_key(body: Body, make_key: MakeKey) -> RequestKey | None:
    """Of the request's Idempotency-Key, if it has one."""
    asked = the_request()
    if (key := header(asked, "Idempotency-Key")) is None:
        return None
    if not re.fullmatch(r"[!-~]{1,255}", key):
        rule = needed("1 to 255 visible ASCII characters", "8e03978e-40d5-43e8")
        raise errors.InvalidRequest({"Idempotency-Key": [rule]})
    return make_key(g.client, key, f"{asked.path} {json.dumps(body, sort_keys=True)}")


def sent(
    message: str, later: str, data: dict[str, Any], options: SendOptions, *, repeated: bool
) -> Response:
    """The answer: ``message``, or 202 and ``later`` to who does not wait."""
    if not options.background:
        return answer(message, data, repeated=repeated)
    response = answer(later, data, repeated=repeated)
    response.status_code = 202
    response.headers["Preference-Applied"] = "respond-async"
    return response
