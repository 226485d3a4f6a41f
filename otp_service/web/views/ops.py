"""For whoever runs the service: is it alive, is it ready."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Response, jsonify

from otp_service.domain.ports import StoreState
from otp_service.observability.gauges import SenderState
from otp_service.web import auth
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.bodies import answer
from otp_service.web.dependencies import Description, Worker
from otp_service.web.errors import NotReady
from otp_service.web.responses import shape

HEALTHY = {"status": "healthy", "message": "WhatsApp OTP API is running"}
_READY_EXAMPLE = {
    "status": "ready",
    "database": "ok",
    "fallback": "standby",
    "provider": {"name": "gupshup", "channel": "whatsapp", "circuit": "closed"},
    "providers": [{"name": "gupshup", "channel": "whatsapp", "circuit": "closed"}],
    "worker": "running",
}
_PROVIDER = {"title": "Provider", **shape(_READY_EXAMPLE["provider"])}
_READY = {"title": "Ready", **shape(_READY_EXAMPLE)}
_READY["properties"] |= {"provider": _PROVIDER, "providers": {"type": "array", "items": _PROVIDER}}


def blueprint(
    store_state: Callable[[], StoreState],
    senders: Sequence[SenderState],
    worker: Worker,
    is_stopping: Callable[[], bool],
) -> Blueprint:
    bp = Blueprint("ops", auth.PUBLIC, Tag.OPERATIONS)

    @bp.get("/health")
    @bp.pages("Alive", "application/json", HEALTHY)
    def health() -> Response:
        """Is the process alive?

        Asks neither a database nor a provider.
        """
        return jsonify(HEALTHY)

    @bp.get("/ready")
    @bp.responds("Ready", _READY, _READY_EXAMPLE, [NotReady])
    def ready() -> Response:
        """Is the service ready?

        Whether a code could be sent and checked now, and the state of each part: the database, the
        fallback, each provider's circuit and the worker.
        """
        stores = store_state()
        state = _state(stores, senders, worker)
        if is_stopping():
            raise NotReady(retry_after=2, state=state | {"status": "stopping"})
        if stores.database != "ok" and stores.fallback != "active":
            raise NotReady(retry_after=2, state=state | {"status": "not_ready"})
        return answer("Ready", state)

    return bp


def _state(stores: StoreState, senders: Sequence[SenderState], worker: Worker) -> Description:
    providers = [
        {"name": sender.provider, "channel": sender.channel.value, "circuit": sender.state}
        for sender in senders
    ]
    return {
        "status": "ready",
        **vars(stores),
        "provider": providers[0],
        "providers": providers,
        "worker": worker.state,
    }
