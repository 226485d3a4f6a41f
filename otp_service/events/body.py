"""What an event says."""

from __future__ import annotations

from datetime import datetime, timezone

from otp_service import json_text
from otp_service.domain.events import Endpoint, Event


def body_of(event: Event, endpoint: Endpoint) -> bytes:
    """The JSON that is posted: for one event and endpoint the same bytes at each try."""
    data = _data(event, endpoint)
    return json_text.dumps(
        {"type": event.type.value, "timestamp": _rfc_3339(event.at), "data": data}
    )


def _data(event: Event, endpoint: Endpoint) -> dict[str, str | None]:
    if event.verification_id:
        data: dict[str, str | None] = {"verification_id": event.verification_id}
    else:
        data = {"message_id": event.message_id}
    if endpoint.with_phone:
        data["phone_number"] = event.phone
    data |= {
        "purpose": event.purpose,
        "channel": event.channel,
        "status": event.status,
        "failure": event.failure,
        "reason": event.reason,
    }
    if endpoint.client is None:  # else it knows whose they are
        data["client"] = event.client
    return data


def _rfc_3339(time: datetime) -> str:
    """In UTC with milliseconds, as the API writes times."""
    text = time.astimezone(timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
