"""The Cloud API's webhook (developers.facebook.com/docs/whatsapp/cloud-api/webhooks)."""

from __future__ import annotations

import hashlib
import hmac

from otp_service.delivery.parsing import as_object
from otp_service.delivery.receipts import of_envelope
from otp_service.domain.callbacks import alternatives
from otp_service.domain.messages import Receipt


def read(body: object) -> list[Receipt]:
    return of_envelope("meta", as_object(body), ("id",))


def is_authentic(raw_body: bytes, header: str | None, app_secret: str) -> bool:
    """Whether Meta signed these very bytes: ``header`` is its ``X-Hub-Signature-256``. All that
    ``app_secret`` may be are tried, whichever is right.
    """
    presented = (header or "").encode(errors="replace")
    expected = [_signature(raw_body, each) for each in alternatives(app_secret)]
    return sum(hmac.compare_digest(presented, each) for each in expected) > 0  # none left out


def _signature(raw_body: bytes, app_secret: str) -> bytes:
    key = app_secret.encode(errors="surrogateescape")
    return b"sha256=" + hmac.new(key, raw_body, hashlib.sha256).hexdigest().encode()
