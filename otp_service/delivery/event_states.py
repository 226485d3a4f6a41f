"""The words in which providers tell the state of a template, a number or an account: one table.

Meta's are on the pages of its webhooks (developers.facebook.com/documentation/business-messaging/
whatsapp/webhooks/reference), Gupshup's on docs.gupshup.io/docs/system-events.
"""

from __future__ import annotations

import re

from otp_service.domain.provider_events import Level

NOTED = "noted"
_TABLE = {
    Level.FINE: {
        "approved": "enabled active",
        "reinstated": "reinstate unpaused unpause unlocked unflagged reconnected",
        "verified": "verified_account live",
        "upgraded": "upgrade throughput_upgrade onboarding",
        "quality_high": "green high",
        "quality_unknown": "unknown none",
        "recategorized_authentication": "",
        NOTED: "",
    },
    Level.RISK: {
        "pending": "in_appeal deferred",
        "flagged": "",
        "downgraded": "downgrade",
        "quality_medium": "yellow medium",
        "quality_low": "red low",
        "locked": "",
        "archived": "",
        "limit_exceeded": "",
        "violation": "",
        "recategorized": "",
        "alert": "warning critical",
        "security": "pin_changed pin_reset_request pin_reset_success",
        "disconnected": "partner_removed partner_app_uninstalled offboarded",
    },
    Level.TROUBLE: {
        "paused": "pause",
        "disabled": "disable schedule_for_disable banned",
        "rejected": "failed",
        "deleted": "pending_deletion",
        "restricted": "restriction",
    },
}
LEVELS = {state: level for level, states in _TABLE.items() for state in states}
_STATES = {
    word: state
    for states in _TABLE.values()
    for state, others in states.items()
    for word in (state, *others.split())
}
_PREFIXES = ("account_", "template_", "waba_")


def state_of(word: str) -> str | None:
    """The state that this word means; None if nobody documented it."""
    plain = plain_word(word)
    for prefix in _PREFIXES:
        plain = plain.removeprefix(prefix)
    return _STATES.get(plain) or _STATES.get(plain_word(word))


def plain_word(word: str) -> str:
    """As the table writes it: ``ACCOUNT_RESTRICTED`` and ``account-restricted`` are one."""
    return re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_")
