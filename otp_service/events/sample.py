"""An event of nobody's, to try an endpoint with."""

from __future__ import annotations

import secrets
from datetime import datetime, timezone

from otp_service.domain.events import Endpoint, Event, EventType

PURPOSE = "test"
PHONE = "+1234567890"  # nobody's: the sandbox's own test number


def sample_for(endpoint: Endpoint) -> Event:
    """As if it were of a verification of the client that it gets events of."""
    kind = endpoint.types[0] if endpoint.types else EventType.STARTED
    _, _, status = kind.value.partition(".")
    return Event(
        id=f"evt_{secrets.token_hex(16)}",
        endpoint_id=endpoint.id,
        type=kind,
        at=datetime.now(timezone.utc),
        client=endpoint.client or "test",
        phone=PHONE,
        purpose=PURPOSE,
        verification_id=f"s{secrets.token_hex(16)}",
        message_id=None,
        channel="whatsapp",
        status="pending" if status == "started" else status,
        failure=None,
        reason=None,
        tries=0,
    )
