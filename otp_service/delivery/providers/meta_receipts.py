"""The Cloud API's webhook (developers.facebook.com/docs/whatsapp/cloud-api/webhooks)."""

from __future__ import annotations

import hashlib
import hmac

from otp_service.delivery.parsing import as_object
from otp_service.delivery.receipts import of_envelope
from otp_service.domain.messages import Receipt


def read(body: object) -> list[Receipt]:
    return of_envelope("meta", as_object(body), ("id",))


def is_authentic(raw_body: bytes, header: str | None, app_secret: str) -> bool:
    """Whether Meta signed these very bytes: ``header`` is its ``X-Hub-Signature-256``."""
    key = app_secret.encode(errors="surrogateescape")
    expected = "sha256=" + hmac.new(key, raw_body, hashlib.sha256).hexdigest()
    presented = (header or "").encode(errors="replace")
    return bool(app_secret) and hmac.compare_digest(presented, expected.encode())
