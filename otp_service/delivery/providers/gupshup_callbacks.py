"""What Gupshup calls: for WhatsApp, and for SMS, with one secret."""

from __future__ import annotations

from collections.abc import Sequence

from otp_service.delivery import provider_events
from otp_service.delivery.providers import gupshup_receipts, gupshup_sms_receipts
from otp_service.delivery.providers.gupshup_settings import GupshupSettings
from otp_service.domain.callbacks import Body, Callback, SharedSecret

PATH, SMS_PATH = "/webhooks/gupshup", "/webhooks/gupshup-sms"
_EVENT = {
    "app": "DemoApp",
    "timestamp": 1747136693404,
    "version": 2,
    "type": "message-event",
    "payload": {
        "id": "326822fd-55e9-4112-b810-e86909cd71f6",
        "gsId": "1a6207e5-af37-4fc8-948a-25867d3ab077",
        "type": "delivered",
        "destination": "919876543210",
        "payload": {"ts": 1747136691},
    },
}
_REPORT = {
    "externalId": "3940265861",
    "eventType": "DELIVERED",
    "eventTs": 1747136691000,
    "destAddr": "919876543210",
    "errCode": "000",
}


def callbacks(settings: GupshupSettings) -> Sequence[Callback]:
    secret = SharedSecret(settings.webhook_secret, settings.webhook_networks)
    event = Callback(
        path=PATH,
        name="gupshup_event",
        description=_ABOUT_EVENT,
        authentication=secret,
        body=Body.JSON,
        read=gupshup_receipts.read,
        read_events=provider_events.gupshup,
        example=_EVENT,
    )
    report = Callback(
        path=SMS_PATH,
        name="sms_report",
        description=_ABOUT_REPORT,
        authentication=secret,
        body=Body.QUERY,
        read=gupshup_sms_receipts.read,
    )
    reports = Callback(
        path=SMS_PATH,
        name="sms_reports",
        description=_ABOUT_REPORTS,
        authentication=secret,
        body=Body.FORM_OR_TEXT,
        read=gupshup_sms_receipts.read,
        example=[_REPORT],
    )
    return event, report, reports


_ABOUT_EVENT = """Take a delivery event of Gupshup's.

In version 2 or 3 of its format. What is no receipt of a message is left out.
"""
_ABOUT_REPORT = """Take an SMS delivery report.

One report of Gupshup's enterprise SMS API, in the query.
"""
_ABOUT_REPORTS = """Take SMS delivery reports.

A batch, or one of them as a form.
"""
