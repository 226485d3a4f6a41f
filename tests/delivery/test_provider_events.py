"""What providers tell of templates, numbers and the account."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otp_service.delivery import provider_events
from otp_service.domain.provider_events import Kind, Level
from tests.delivery import callbacks
from tests.delivery.events import ID, account, change, of_template, read, template

PAUSED = "Your WhatsApp message template has been paused for 3 hours until Apr 25 at 8:07 AM UTC"
NAMES = [
    "entry",
    "changes",
    "field",
    "value",
    "errors",
    "code",
    "type",
    "payload",
    "status",
    "event",
    "id",
    "time",
    "timestamp",
    "app",
    "metadata",
    "phone_number_id",
    "restrictions",
    "restriction_info",
    "ban_info",
    "waba_ban_state",
    "category",
    "quality",
    "currentTier",
    "newTier",
    "display_phone_number",
    "alert_info",
]
json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("\ud83d"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)
UNTIL = {"type": "RESTRICTED_SENDING", "expiry": "2026-12-31"}
RESTRICTED = account("status-event", status="ACCOUNT_RESTRICTED", restrictions=[UNTIL])
SCAM = {"violation_type": "SCAM"}


@pytest.mark.parametrize(
    ("body", "said", "detail"),
    [
        (template(status="approved"), "template status approved fine", ""),
        (
            template(type="status-update", status="paused", description=PAUSED),
            "template status paused trouble",
            PAUSED,
        ),
        (
            template(status="rejected", rejectedReason="INVALID_FORMAT"),
            "template status rejected trouble",
            "INVALID_FORMAT",
        ),
        (template(status="disabled"), "template status disabled trouble", ""),
        (template(status="DELETED"), "template status deleted trouble", ""),
        (template(type="quality-update", quality="RED"), "template quality quality_low risk", ""),
        (template(quality="GREEN"), "template quality quality_high fine", ""),
        (
            template(type="category-update", category={"old": "AUTHENTICATION", "new": "UTILITY"}),
            "template category recategorized risk",
            "UTILITY",
        ),
        (
            account("tier-event", event="DOWNGRADE", oldTier="TIER_10K", currentTier="TIER_1K"),
            "number limit downgraded risk",
            "TIER_10K, TIER_1K",
        ),
        (
            account("tier-event", currentTier="TIER_250", newTier="TIER_UNLIMITED"),
            "number limit upgraded fine",
            "TIER_250, TIER_UNLIMITED",
        ),
        (account("review-event", status="rejected"), "account review rejected trouble", ""),
        (RESTRICTED, "account status restricted trouble", "RESTRICTED_SENDING until 2026/12/31"),
        (
            account("status-event", status="ACCOUNT_VIOLATION"),
            "account status violation risk",
            "",
        ),
        (
            account("status-event", status="ACCOUNT_DISABLE"),
            "account status disabled trouble",
            "",
        ),
        (account("restricted"), "account status restricted trouble", ""),
        (account("pndn-event", status="rejected"), "number name rejected risk", ""),
        (
            account("pricing-tier-update", tier="25000001:50000000", pricingCategory="UTILITY"),
            "account pricing_tier noted fine",
            "25,000,001 to 50,000,000, UTILITY",
        ),
        (
            of_template(
                "message_template_status_update",
                event="PAUSED",
                reason="NONE",
                other_info={"title": "FIRST_PAUSE", "description": PAUSED},
            ),
            "template status paused trouble",
            PAUSED,
        ),
        (
            of_template("message_template_status_update", event="FLAGGED", reason=None),
            "template status flagged risk",
            "",
        ),
        (
            of_template("message_template_quality_update", new_quality_score="YELLOW"),
            "template quality quality_medium risk",
            "",
        ),
        (
            of_template("template_category_update", new_category="MARKETING"),
            "template category recategorized risk",
            "MARKETING",
        ),
        (
            change("phone_number_quality_update", event="FLAGGED", current_limit="TIER_10K"),
            "number limit flagged risk",
            "TIER_10K",
        ),
        (
            change("phone_number_name_update", decision="REJECTED", rejection_reason="UNKNOWN"),
            "number name rejected risk",
            "UNKNOWN",
        ),
        (
            change("security", event="PIN_CHANGED"),
            "number security security risk",
            "PIN_CHANGED",
        ),
        (
            change("account_update", event="ACCOUNT_VIOLATION", violation_info=SCAM),
            "account status violation risk",
            "SCAM",
        ),
        (
            change(
                "account_update",
                event="DISABLED_UPDATE",
                ban_info={"waba_ban_state": "SCHEDULE_FOR_DISABLE", "waba_ban_date": "April 17"},
            ),
            "account status disabled trouble",
            "SCHEDULE_FOR_DISABLE, April 17",
        ),
        (
            change(
                "account_update", event="DISABLED_UPDATE", ban_info={"waba_ban_state": "REINSTATE"}
            ),
            "account status reinstated fine",
            "REINSTATE",
        ),
        (change("account_review_update", decision="APPROVED"), "account review approved fine", ""),
        (
            change(
                "account_alerts",
                entity_type="BUSINESS",
                alert_info={"alert_severity": "CRITICAL", "alert_type": "OBA_REJECTED"},
            ),
            "account alert alert risk",
            "OBA_REJECTED",
        ),
    ],
)
def test_every_documented_event_is_read(body: dict[str, Any], said: str, detail: str) -> None:
    event = read(body)
    assert f"{event.kind.value} {event.topic} {event.state} {event.level.value}" == said
    assert event.detail == detail


def test_a_template_is_known_by_its_name_id_and_language() -> None:
    event = read(template(status="paused"))
    assert (event.name, event.ref, event.language) == ("otp_login", ID, "en_US")
    assert (event.provider, event.owner) == ("gupshup", "DemoApp")
    assert event.subject == "template otp_login (en_US)"
    assert event.at == datetime(2021, 11, 15, 14, 27, 26, 609_000, tzinfo=timezone.utc)
    metas = read(of_template("message_template_status_update", event="PAUSED"))
    assert (metas.name, metas.ref, metas.language) == ("otp_login", "1689556908129832", "en-US")


@pytest.mark.parametrize("gs_app_id", [None, "82ed52f4-30c0-4f12-81b4-e7ad07bd41de"])
def test_an_error_of_the_app_itself_is_an_event_of_the_account(gs_app_id: str | None) -> None:
    error: dict[str, Any] = {"code": 131031, "title": "Business Account locked"}
    error |= {"error_data": {"details": "restricted"}}
    body = change("messages", metadata={"phone_number_id": "1"}, errors=[error])
    of = provider_events.gupshup if gs_app_id else provider_events.meta
    (event,) = of(body | ({"gs_app_id": gs_app_id} if gs_app_id else {}))
    assert (event.kind, event.state, event.level) == (
        Kind.ACCOUNT,
        "account_restricted",
        Level.TROUBLE,
    )
    assert event.detail == "131031: Business Account locked: restricted"


def test_an_error_of_the_app_need_not_be_listed() -> None:
    for errors in ({"code": 131042}, [{"error": {"code": "131042"}}]):
        (event,) = provider_events.meta(change("messages", errors=errors))
        assert (event.state, event.detail) == ("balance_empty", "131042")


def test_version_3_has_gupshups_own_events_in_metas_envelope() -> None:
    body = change("account-event", type="status-event", payload={"status": "ACCOUNT_RESTRICTED"})
    (event,) = provider_events.gupshup(body | {"gs_app_id": ID})
    assert (event.provider, event.kind, event.state) == ("gupshup", Kind.ACCOUNT, "restricted")
    assert event.owner == ID


@pytest.mark.parametrize(
    "body",
    [
        {"type": "something-new", "payload": {"status": "paused"}},
        account("something-new"),
        change("flows", event="PAUSED"),
        change("something-new-event"),
    ],
)
def test_what_nobody_documented_is_to_be_counted_and_no_more(body: dict[str, Any]) -> None:
    assert (read(body).kind, read(body).state) == (Kind.OTHER, "other")


@pytest.mark.parametrize(
    "body",
    [
        callbacks.DELIVERED,
        callbacks.BILLING_EVENT,
        callbacks.INCOMING_MESSAGE,
        callbacks.TEST_HIT,
        callbacks.V3_TEST_HIT,
        callbacks.envelope({"id": "1", "status": "sent"}),
        {},
        {"entry": 5},
    ],
)
def test_what_is_told_of_messages_is_no_event(body: dict[str, Any]) -> None:
    assert provider_events.gupshup(body) == provider_events.meta(body) == []


@given(json)
def test_whatever_comes_nothing_is_raised(body: object) -> None:
    for read_all in (provider_events.gupshup, provider_events.meta):
        for event in read_all(body):
            kept = (event.topic, event.name, event.ref, event.language, event.owner, event.detail)
            assert all(each.isprintable() and len(each) <= 200 for each in kept)


def test_no_number_of_a_person_is_kept() -> None:
    told = account("status-event", status="ACCOUNT_RESTRICTED", reason="spam to +91 98765 43210")
    assert read(told).detail == "spam to +••••3210"
    number = change("phone_number_quality_update", display_phone_number="15550783881")
    assert read(number).name == "••••3881"
