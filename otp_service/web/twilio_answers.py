"""A verification as Twilio Verify tells it (twilio-oai, `twilio_verify_v2`)."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timezone
from typing import Any

from otp_service.domain.verification import Channel, Delivery, Status, Verification

_STATUS = {
    Status.PENDING: "pending",
    Status.VERIFIED: "approved",
    Status.CANCELED: "canceled",
    Status.EXPIRED: "expired",
    Status.FAILED: "failed",
}
_ACCOUNT = "AC[0-9a-fA-F]{32}"


def sid(verification: Verification) -> str:
    """Twilio's have no room for the home's letter."""
    return f"VE{verification.id[1:]}"


def account_sid(user: str | None, client: str) -> str:
    """Who is calling: the user's name if it is an account's, else always the same of a client."""
    if user and re.fullmatch(_ACCOUNT, user):
        return user
    return f"AC{hashlib.sha256(client.encode()).hexdigest()[:32]}"


def verification(found: Verification, service_sid: str, account: str, url: str) -> dict[str, Any]:
    """``url`` is that of its service's verifications."""
    return {
        **_shared(found, service_sid, account, _status(found)),
        "lookup": {},
        "send_code_attempts": [_attempt(each) for each in found.deliveries],
        "sna": None,
        "url": f"{url}/{sid(found)}",
    }


def check(found: Verification, service_sid: str, account: str, *, is_right: bool) -> dict[str, Any]:
    """What became of one check; after a wrong one, even the last, the person's code is pending."""
    status = "approved" if is_right else "pending"
    shared = _shared(found, service_sid, account, status)
    return {**shared, "sna_attempts_error_codes": []}


def _shared(found: Verification, service_sid: str, account: str, status: str) -> dict[str, Any]:
    return {
        "sid": sid(found),
        "service_sid": service_sid,
        "account_sid": account,
        "to": found.phone,
        "channel": found.channel.value,
        "status": status,
        "valid": status == "approved",
        "amount": None,
        "payee": None,
        "date_created": _time(found.created_at),
        "date_updated": _time(_changed(found)),
    }


def _status(found: Verification) -> str:
    if found.status is Status.FAILED and not found.attempts_remaining:
        return "max_attempts_reached"
    return _STATUS[found.status]


def _changed(found: Verification) -> datetime:
    """When it was begun, sent again or ended, whichever was last."""
    ends = (found.verified_at, found.canceled_at)
    sends = (each.created_at for each in found.deliveries)
    return max([found.created_at, *sends, *filter(None, ends)])


def _attempt(delivery: Delivery) -> dict[str, str]:
    channel = "SMS" if delivery.channel is Channel.SMS else delivery.channel.value
    time, name = _time(delivery.created_at), f"VL{delivery.id}"
    return {"time": time, "channel": channel, "attempt_sid": name}


def _time(time: datetime) -> str:
    """In UTC, to the second: its clients read no fractions."""
    return time.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
