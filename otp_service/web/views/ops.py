"""For whoever runs the service: is it alive, is it ready, how does it send."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flask import Response, jsonify

from otp_service.domain.ports import StoreState
from otp_service.web import auth, examples
from otp_service.web.blueprint import Blueprint, Tag, answer
from otp_service.web.dependencies import Description, SenderState, Worker
from otp_service.web.errors import NotReady

HEALTHY = {"status": "healthy", "message": "WhatsApp OTP API is running"}
_READY_EXAMPLE = {
    "status": "ready",
    "database": "ok",
    "fallback": "standby",
    "provider": {"name": "gupshup", "channel": "whatsapp", "circuit": "closed"},
    "providers": [{"name": "gupshup", "channel": "whatsapp", "circuit": "closed"}],
    "worker": "running",
}
_PROVIDER = {"title": "Provider", **examples.shape(_READY_EXAMPLE["provider"])}
_READY = {"title": "Ready", **examples.shape(_READY_EXAMPLE)}
_READY["properties"] |= {"provider": _PROVIDER, "providers": {"type": "array", "items": _PROVIDER}}
_CONFIGURATION = {"title": "Configuration", "type": "object"}  # the settings say which sender's
_SAMPLE = {"title": "SampleRequest", "type": "object"}


def blueprint(
    store_state: Callable[[], StoreState], senders: Sequence[SenderState], worker: Worker
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
    @bp.answers("Ready", _READY, _READY_EXAMPLE, [NotReady])
    def ready() -> Response:
        """Is the service ready?

        Whether a code could be sent and checked now, and the state of each part: the database, the
        fallback, each provider's circuit and the worker.
        """
        stores = store_state()
        state = _state(stores, senders, worker)
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


def debug_blueprint(
    sender_configuration: Callable[[], Description], sample_request: Callable[[], Description]
) -> Blueprint:
    bp = Blueprint("debug", auth.ADMIN, Tag.DEBUGGING)

    @bp.get("/debug/whatsapp")
    @bp.answers("WhatsApp sender configuration", _CONFIGURATION, examples.CONFIGURATION)
    def debug_whatsapp() -> Response:
        """How messages are sent.

        The configuration of the sender that is asked first, and of SMS, secrets masked to their last 4
        characters, and what is missing.
        """  # noqa: E501 (the document has these very lines)
        return answer("WhatsApp sender configuration", sender_configuration())

    @bp.get("/debug/test-request")
    @bp.answers("The exact request that would go to Gupshup", _SAMPLE, examples.TEST_REQUEST)
    def debug_test_request() -> Response:
        """What would go to the provider.

        The exact request for +1234567890 and the code 123456, with the key masked. Nothing is sent.
        """
        return answer("The exact request that would go to Gupshup", sample_request())

    return bp
