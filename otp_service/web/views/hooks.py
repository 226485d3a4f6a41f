"""Where other sign-in systems hand over codes: each in its own words, sent by the worker."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Sequence
from functools import partial

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from otp_service.domain.callbacks import MAX_BODY_BYTES
from otp_service.domain.drafts import RequestKey, SendOptions
from otp_service.domain.errors import OtpError
from otp_service.domain.relaying import Relaying
from otp_service.domain.verification import Person
from otp_service.web import auth
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.bodies import is_json, parse_object
from otp_service.web.errors import BodyTooLarge, UnsupportedMediaType, WrongHookSignature
from otp_service.web.hooks import docs
from otp_service.web.hooks.hook import Answer, Hook, Wanted
from otp_service.web.unproxied import the_g


def blueprint(hooks: Sequence[Hook], relaying: Relaying) -> Blueprint:
    """Those that are on."""
    bp = Blueprint("hooks", auth.WEBHOOK, Tag.MESSAGES)
    bp.schemes = docs.schemes(hooks)
    for hook in hooks:
        view = _view(hook, relaying)
        view.__name__, view.__doc__ = f"{hook.format.name}_hook", docs.words(hook.format)
        bp.described_by(partial(docs.operation, hook.format))(view)
        bp.route(hook.format.path, methods=["POST"])(view)
    return bp


def _view(hook: Hook, relaying: Relaying) -> Callable[[], Response]:
    def view() -> Response:
        try:
            _relay(hook, relaying)
        except OtpError as refusal:
            the_g().refusal = refusal  # for who counts and logs the answers
            return _response(hook.format.refused(refusal))
        return _response(hook.format.done)

    return view


def _relay(hook: Hook, relaying: Relaying) -> None:
    """Store the message for the worker. Raises `OtpError` where that is not to be."""
    raw = _raw()
    secret = hook.format.signed_with(raw, _header, hook.secrets, time.time())
    if secret is None:
        raise WrongHookSignature(hook.format.header, hook.format.setting)
    the_g().client = hook.client
    if not is_json(request):
        raise UnsupportedMediaType
    wanted = hook.format.read(parse_object(raw))
    options = SendOptions(
        channel=hook.channel,
        locale=wanted.locale,
        background=True,
        key=_key(relaying, hook.client, wanted, _keyed(secret, raw)),
        address=wanted.address,
    )
    relaying.relay(Person(hook.client, wanted.phone, wanted.purpose), wanted.code, options)


def _raw() -> bytes:
    request.max_content_length = MAX_BODY_BYTES
    try:
        return request.get_data()
    except RequestEntityTooLarge:
        pass
    raise BodyTooLarge(rule=f"A body has at most {MAX_BODY_BYTES} bytes here.")


def _header(name: str) -> str:
    return request.headers.get(name, "")


def _key(relaying: Relaying, client: str, wanted: Wanted, body: str) -> RequestKey:
    """What all tries of one request share: what they say is the same, or their body."""
    message = json.dumps([wanted.phone, wanted.code, wanted.purpose])
    return relaying.request_key(client, wanted.repeat or body, message)


def _keyed(secret: bytes, raw: bytes) -> str:
    """Keyed, since a plain hash of a phone and a code is found by trying all; no signature of
    theirs is of such a text.
    """
    return hmac.new(secret, b"repeat\0" + raw, hashlib.sha256).hexdigest()


def _response(answer: Answer) -> Response:
    response = Response(answer.body, answer.status, content_type=answer.content_type)
    response.headers.update(answer.headers)
    return response
