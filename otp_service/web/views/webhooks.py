"""What providers tell of messages: stored, answered, and only then looked at."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request

from otp_service.domain.errors import OtpError, StorageUnavailable
from otp_service.domain.messages import Receipt
from otp_service.domain.provider_events import ProviderEvent
from otp_service.web import auth, client_address, webhook_docs
from otp_service.web.auth import digest
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.bodies import parse_object
from otp_service.web.client_address import Network
from otp_service.web.errors import (
    BodyTooLarge,
    Busy,
    InvalidJson,
    WrongVerifyToken,
    WrongWebhookAddress,
    WrongWebhookSecret,
    WrongWebhookSignature,
)

MAX_BODY_BYTES = 256 * 1024
META_PATH = "/webhooks/meta"
META_BODY_BYTES = 3 * 1024 * 1024  # it tells of up to 1,000 messages at once, and in 3 MB
_READING = [Busy, InvalidJson, BodyTooLarge, StorageUnavailable]
_OF_GUPSHUP: list[type[OtpError]] = [WrongWebhookSecret, WrongWebhookAddress, *_READING]
_OF_META: list[type[OtpError]] = [WrongWebhookSignature, *_READING]
Read = Callable[[Any], list[Receipt]]
ReadEvents = Callable[[Any], list[ProviderEvent]]


@dataclass(frozen=True)
class Hooks:
    """How each provider's receipts are read, and known to be its own.

    Without its secret a webhook refuses everything; without ``networks`` any address may call.
    ``proxies`` are believed when they say whose request they forward.
    """

    read_gupshup: Read
    read_sms: Read
    read_meta: Read
    events_of_gupshup: ReadEvents
    events_of_meta: ReadEvents
    authentic_meta: Callable[[bytes, str | None], bool]
    secret: str = field(repr=False)
    verify_token: str = field(repr=False)
    networks: Sequence[Network]
    proxies: Sequence[Network]
    keep_receipts: Callable[[Sequence[Receipt]], None]
    keep_events: Callable[[Sequence[ProviderEvent]], None]


def gupshup_blueprint(hooks: Hooks) -> Blueprint:
    bp = Blueprint("gupshup", auth.WEBHOOK, Tag.WEBHOOKS)
    bp.before_request(lambda: _let_gupshup_in(hooks))

    @bp.post("/webhooks/gupshup")
    @bp.documented(requestBody=webhook_docs.body({"type": "object"}, webhook_docs.EVENT))
    @_stored(bp)
    def gupshup_event() -> Response:
        """Take a delivery event of Gupshup's.

        In version 2 or 3 of its format. What is no receipt of a message is left out.
        """
        told = parse_object(request.get_data())
        return _keep(hooks, hooks.read_gupshup(told), hooks.events_of_gupshup(told))

    @bp.get("/webhooks/gupshup-sms")
    @_stored(bp)
    def sms_report() -> Response:
        """Take an SMS delivery report.

        One report of Gupshup's enterprise SMS API, in the query.
        """
        return _keep(hooks, hooks.read_sms(request.args.to_dict()))

    @bp.post("/webhooks/gupshup-sms")
    @bp.documented(requestBody=webhook_docs.body({}, [webhook_docs.REPORT], required=False))
    @_stored(bp)
    def sms_reports() -> Response:
        """Take SMS delivery reports.

        A batch, or one of them as a form.
        """
        body = request.form.to_dict() or request.get_data().decode("utf-8", "replace")
        return _keep(hooks, hooks.read_sms(body))

    return bp


def meta_blueprint(hooks: Hooks) -> Blueprint:
    bp = Blueprint("meta", auth.WEBHOOK, Tag.WEBHOOKS)

    @bp.get(META_PATH)
    @bp.documented(**webhook_docs.HANDSHAKE)
    def meta_handshake() -> Response:
        """Answer Meta's challenge.

        Meta asks, once, whether this address is ours.
        """
        asked = request.args
        if asked.get("hub.mode") != "subscribe":
            raise WrongVerifyToken
        if not _is_right(hooks.verify_token, asked.get("hub.verify_token", "")):
            raise WrongVerifyToken
        if not re.fullmatch(webhook_docs.CHALLENGE, asked.get("hub.challenge", "")):
            raise WrongVerifyToken
        return Response(asked["hub.challenge"], mimetype="text/plain")

    @bp.post(META_PATH)
    @bp.documented(
        requestBody=webhook_docs.body({"type": "object"}, {"entry": []}),
        responses=webhook_docs.answers("Stored", _OF_META),
        security=[{"metaSignature": []}],
    )
    def meta_event() -> Response:
        """Take a batch of Meta's status events.

        Signed over its very bytes. What is no receipt of a message is left out.
        """
        request.max_content_length = META_BODY_BYTES
        raw = request.get_data()
        if not hooks.authentic_meta(raw, request.headers.get("X-Hub-Signature-256")):
            raise WrongWebhookSignature
        told = parse_object(raw)
        return _keep(hooks, hooks.read_meta(told), hooks.events_of_meta(told))

    return bp


def _stored(bp: Blueprint) -> Callable[[Any], Any]:
    stored = webhook_docs.answers("Stored", _OF_GUPSHUP)
    return bp.documented(responses=stored, security=[{"webhookSecret": []}, {"webhookToken": []}])


def _keep(hooks: Hooks, receipts: list[Receipt], events: Sequence[ProviderEvent] = ()) -> Response:
    """2xx with an empty body is what providers want, within a few seconds."""
    if receipts:
        hooks.keep_receipts(receipts)
    if events:
        hooks.keep_events(events)
    return Response(status=200)


def _let_gupshup_in(hooks: Hooks) -> None:
    address = client_address.caller(hooks.proxies)
    if hooks.networks and not client_address.within(address, hooks.networks):
        raise WrongWebhookAddress
    header = request.headers.get("Authorization", "")
    kind, _, credentials = header.partition(" ")
    presented = credentials.strip() if kind.lower() == "bearer" else header
    if not _is_right(hooks.secret, presented, request.args.get("token", "")):
        raise WrongWebhookSecret
    request.max_content_length = MAX_BODY_BYTES


def _is_right(secret: str, *presented: str) -> bool:
    """Whether one of these is; in constant time, whatever their length."""
    right = [hmac.compare_digest(digest(secret), digest(told)) for told in presented]
    return bool(secret) and any(right)
