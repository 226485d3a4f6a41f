"""The tables, by subject. Whoever imports one of these has every table in the metadata."""

from __future__ import annotations

from otp_service.storage.models import (  # noqa: F401 (so that the metadata has all tables)
    audit,
    deliveries,
    events,
    keys,
    limits,
    verifications,
)
