"""What the OpenAPI document says of hooks: who calls, with what, and what that gets."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

import orjson

from otp_service.domain import errors as domain
from otp_service.domain.errors import OtpError
from otp_service.domain.limits import Limit
from otp_service.web import errors as web
from otp_service.web import responses
from otp_service.web.hooks.hook import Answer, Format, Hook, Json

_END = datetime(2026, 11, 28, 10, 37, tzinfo=timezone.utc)
_REFUSALS: list[OtpError] = [
    web.InvalidJson(),
    domain.InvalidRequest({"to": ["Missing. Needed: a text."]}),
    domain.InvalidPhoneNumber("too_short"),
    domain.DestinationNotAllowed(reason="country"),
    web.BodyTooLarge(rule="A body has at most 262144 bytes here."),
    web.UnsupportedMediaType(),
    domain.SendLimitExceeded(
        retry_after=412, **Limit("phone_sends", 5, 600).details, resets_at=_END
    ),
    domain.RequestLimitExceeded(
        retry_after=1, **Limit("client_requests", 50, 1).details, resets_at=_END
    ),
    domain.StorageUnavailable(),
]


def words(format_: Format) -> str:
    """The view's own: a sentence, and a paragraph."""
    return (
        f"Deliver a code of {format_.system}.\n\n"
        f"On where `{format_.setting}` is set. Answered as soon as the message is stored, in "
        f"{format_.system}'s own format; the worker sends it. A repeat is answered as the first "
        "was, and sends nothing. Unknown fields are ignored."
    )


def schemes(hooks: Iterable[Hook]) -> Json:
    """How each shows that it is the one, as OpenAPI's security schemes."""
    return {_scheme(hook.format): _described(hook.format) for hook in hooks}


def _scheme(format_: Format) -> str:
    return f"{format_.name}Hook"


def _described(format_: Format) -> Json:
    described = f"{format_.signature}, with {format_.setting}"
    return {"type": "apiKey", "in": "header", "name": format_.header, "description": described}


def operation(format_: Format) -> Json:
    """What its operation object has beside the view's own words."""
    body = {"schema": format_.schema, "example": format_.example}
    return {
        "requestBody": {"required": True, "content": {"application/json": body}},
        "security": [{_scheme(format_): []}],
        "responses": _responses(format_),
    }


def _responses(format_: Format) -> Json:
    refusals = [web.WrongHookSignature(format_.header, format_.setting), *_REFUSALS]
    if format_.repeats:
        refusals.append(domain.IdempotencyKeyReused())
    by_status: dict[int, list[OtpError]] = {200: []}
    for each in refusals:
        by_status.setdefault(format_.refused(each).status, []).append(each)
    return {str(status): _response(format_, status, by_status[status]) for status in by_status}


def _response(format_: Format, status: int, refused: list[OtpError]) -> Json:
    answers = [("stored", format_.done)] if status == 200 else []
    answers += [(type(each).__name__, format_.refused(each)) for each in refused]
    described = ["Stored"] * (status == 200) + [each.message for each in refused]
    name = format_.name.capitalize()
    schemas = [_schema(name, format_, each) for _, each in answers]
    alternatives = [each for at, each in enumerate(schemas) if each not in schemas[:at]]
    examples = {case: _example(name, case, each) for case, each in answers}
    content = {
        "schema": alternatives[0] if len(alternatives) == 1 else {"anyOf": alternatives},
        "examples": examples,
    }
    headers = {each: {"schema": _TEXT} for _, answer in answers for each in answer.headers}
    return {
        **({"title": f"{name}{status}"} if status >= 400 else {}),
        "description": "; ".join(described),
        "content": {answers[-1][1].content_type.partition(";")[0]: content},
        **({"headers": headers} if headers else {}),
    }


_TEXT = {"type": "string"}


def _schema(name: str, format_: Format, answer: Answer) -> Json:
    shape = responses.shape(_value(answer))
    if answer is format_.done or shape["type"] != "object":
        return shape
    return shape | {"title": f"{name}Refusal"}


def _example(name: str, case: str, answer: Answer) -> Json:
    return {"title": f"{name}{case}", "value": _value(answer)}


def _value(answer: Answer) -> object:
    if answer.content_type.startswith("text/"):
        return answer.body.decode()
    return orjson.loads(answer.body)
