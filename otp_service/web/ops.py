"""For whoever runs the service: is it alive, is it ready, how does it send."""

from __future__ import annotations

from flask import Response, jsonify

from otp_service.web import auth, examples
from otp_service.web.blueprints import Blueprint, answer
from otp_service.web.errors import NotReady
from otp_service.web.parts import parts

bp = Blueprint("ops", auth.PUBLIC, "Liveness and readiness")
debug_bp = Blueprint("debug", auth.ADMIN, "How messages are sent, with every secret masked")

HEALTHY = {"status": "healthy", "message": "WhatsApp OTP API is running"}
_READY_EXAMPLE = {
    "status": "ready",
    "database": "ok",
    "fallback": "standby",
    "provider": {"name": "gupshup", "channel": "whatsapp", "circuit": "closed"},
    "providers": [{"name": "gupshup", "channel": "whatsapp", "circuit": "closed"}],
    "worker": "running",
}


@bp.get("/health")
@bp.pages("Alive", "application/json", HEALTHY)
def health() -> Response:
    """Whether the process answers; asks nothing else."""
    return jsonify(HEALTHY)


@bp.get("/ready")
@bp.answers("Ready", examples.shape(_READY_EXAMPLE), _READY_EXAMPLE, [NotReady])
def ready() -> Response:
    """Whether a code could be sent and checked now, and the state of each part."""
    stores = parts().service.store_state()
    providers = [
        {"name": sender.provider, "channel": sender.channel.value, "circuit": sender.state}
        for sender in parts().senders
    ]
    state = {
        "status": "ready",
        **vars(stores),
        "provider": providers[0],
        "providers": providers,
        "worker": parts().worker.state,
    }
    if stores.database != "ok" and stores.fallback != "active":
        raise NotReady(retry_after=2, state=state | {"status": "not_ready"})
    return answer("Ready", state)


@debug_bp.get("/debug/whatsapp")
@debug_bp.answers(
    "WhatsApp sender configuration",
    {"type": "object"},  # which sender's it is depends on the settings
    examples.CONFIGURATION,
)
def debug_whatsapp() -> Response:
    """The sender's configuration, and what is missing."""
    return answer("WhatsApp sender configuration", parts().sender_configuration())


@debug_bp.get("/debug/test-request")
@debug_bp.answers(
    "The exact request that would go to Gupshup", {"type": "object"}, examples.TEST_REQUEST
)
def debug_test_request() -> Response:
    """The request for +1234567890 and the code 123456. Nothing is sent."""
    return answer("The exact request that would go to Gupshup", parts().sample_request())
