"""What providers call: stored, answered, and only then looked at. Each declares its callbacks."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Response, request

from otp_service.domain.callbacks import (
    Body,
    Callback,
    Handshake,
    Network,
    SharedSecret,
    Signature,
    alternatives,
)
from otp_service.domain.messages import Receipt
from otp_service.domain.provider_events import ProviderEvent
from otp_service.web import auth, client_address, webhook_docs
from otp_service.web.auth import digest
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.bodies import parse_object
from otp_service.web.errors import (
    WrongVerifyToken,
    WrongWebhookAddress,
    WrongWebhookSecret,
    WrongWebhookSignature,
)


@dataclass(frozen=True)
class Inbox:
    """Where callbacks are kept. ``proxies`` are believed when they say whose request it is."""

    keep_receipts: Callable[[Sequence[Receipt]], None]
    keep_events: Callable[[Sequence[ProviderEvent]], None]
    proxies: Sequence[Network]


def blueprint(callbacks: Iterable[Callback | Handshake], inbox: Inbox) -> Blueprint:
    """Without its secret a callback is refused, whatever it tells."""
    bp = Blueprint("webhooks", auth.WEBHOOK, Tag.WEBHOOKS)
    for each in callbacks:
        if isinstance(each, Handshake):
            _add(bp, "GET", each, _handshake(each))
        else:
            method = "GET" if each.body is Body.QUERY else "POST"
            _add(bp, method, each, _take(each, inbox))
    return bp


def _add(
    bp: Blueprint, method: str, which: Callback | Handshake, view: Callable[[], Response]
) -> None:
    view.__name__, view.__doc__ = which.name, which.description
    bp.described_by(partial(webhook_docs.operation, which))(view)
    bp.route(which.path, methods=[method])(view)


def _take(callback: Callback, inbox: Inbox) -> Callable[[], Response]:
    def view() -> Response:
        """2xx with an empty body is what providers want, within a few seconds."""
        _let_in(callback, inbox.proxies)
        body = _body(callback.body)
        if receipts := callback.read(body):
            inbox.keep_receipts(receipts)
        if events := callback.read_events(body):
            inbox.keep_events(events)
        return Response(status=200)

    return view


def _body(kind: Body) -> Any:
    if kind is Body.QUERY:
        return request.args.to_dict()
    if kind is Body.FORM_OR_TEXT:
        return request.form.to_dict() or request.get_data().decode("utf-8", "replace")
    return parse_object(request.get_data())


def _let_in(callback: Callback, proxies: Sequence[Network]) -> None:
    """Raises what says that it is not the provider who calls."""
    how = callback.authentication
    if isinstance(how, Signature):
        request.max_content_length = callback.max_bytes
        if not how.is_authentic(request.get_data(), request.headers.get(how.header)):
            raise WrongWebhookSignature
        return
    _let_in_by_secret(how, proxies)
    request.max_content_length = callback.max_bytes


def _let_in_by_secret(how: SharedSecret, proxies: Sequence[Network]) -> None:
    if how.networks and not client_address.within(client_address.caller(proxies), how.networks):
        raise WrongWebhookAddress
    header = request.headers.get("Authorization", "")
    kind, _, credentials = header.partition(" ")
    presented = credentials.strip() if kind.lower() == "bearer" else header
    if not _is_right(how.secret, presented, request.args.get("token", "")):
        raise WrongWebhookSecret


def _handshake(handshake: Handshake) -> Callable[[], Response]:
    def view() -> Response:
        challenge, token = (request.args.get(f"hub.{name}", "") for name in _OF_HANDSHAKE)
        if request.args.get("hub.mode") != "subscribe":
            raise WrongVerifyToken
        if not _is_right(handshake.verify_token, token):
            raise WrongVerifyToken
        if not re.fullmatch(webhook_docs.CHALLENGE, challenge):
            raise WrongVerifyToken
        return Response(challenge, mimetype="text/plain")

    return view


_OF_HANDSHAKE = ("challenge", "verify_token")


def _is_right(secret: str, *presented: str) -> bool:
    """Whether one of these is one of `alternatives`; in constant time, whatever their length."""
    known = [digest(each) for each in alternatives(secret)]
    shown = [digest(each) for each in presented]
    return sum(hmac.compare_digest(one, other) for one in known for other in shown) > 0
