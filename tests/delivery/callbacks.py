"""What providers post: samples of their documentation, and those other projects recorded.

Numbers and ids are made up where they were real.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timezone
from typing import Any

Json = dict[str, Any]


def signed(body: bytes, secret: str) -> str:
    """Meta's signature of what it posts, as its header ``X-Hub-Signature-256`` has it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def v2(kind: str, facts: Json, **event: Any) -> Json:
    """Gupshup's version 2, as newer apps send it."""
    return {
        "app": "DemoAPI",
        "phone": "917834811114",
        "timestamp": 1747136693404,
        "version": 2,
        "type": "message-event",
        "payload": {
            "id": "326822fd-55e9-4112-b810-e86909cd71f6",
            "gsId": "1a6207e5-af37-4fc8-948a-25867d3ab077",
            "type": kind,
            "destination": "919876543210",
            "payload": facts,
        }
        | event,
    }


ENQUEUED = {
    "app": "DemoAPI",
    "timestamp": 1580546677791,
    "version": 2,
    "type": "message-event",
    "payload": {
        "id": "59f8db90-c37e-4408-90ab-cc54ef8246ad",
        "type": "enqueued",
        "destination": "919876543214",
        "payload": {"whatsappMessageId": "gBEGkYaYVSEEAgkD7bRi9syGnBk", "type": "session"},
    },
}
FAILED_AT_GUPSHUP = {
    "app": "MySrCName",
    "timestamp": 1616513437223,
    "version": 2,
    "type": "message-event",
    "payload": {
        "id": "d6732472-6073-478b-9d16-8ab2e1b042e1",
        "type": "failed",
        "destination": "919876543211",
        "payload": {"code": 1002, "reason": "Number Does Not Exists On WhatsApp"},
    },
}
FAILED_AT_META = {
    "app": "DemoAPI",
    "timestamp": 1663138637856,
    "version": 2,
    "type": "message-event",
    "payload": {
        "id": "9163a016-710e-41ee-978b-79a1adbd734e",
        "gsId": "72f61f22-5aa4-4615-a970-943edf6da01c",
        "type": "failed",
        "destination": "919876543215",
        "payload": {"code": 470, "reason": "Message failed to send because more than 24 hours"},
    },
}
FAILED_TEMPLATE = {
    "app": "DemoAPI",
    "version": 2,
    "timestamp": 1617133991906,
    "type": "message-event",
    "payload": {
        "id": "e0058485-4fa3-415f-b299-d47274e2017f",
        "type": "failed",
        "destination": "919876543213",
        "payload": {"code": 1005, "reason": "template did not match"},
    },
}
SENT = {
    "app": "DemoAPI",
    "timestamp": 1580546677791,
    "version": 2,
    "type": "message-event",
    "payload": {
        "id": "59f8db90-c37e-4408-90ab-cc54ef8246ad",
        "gsId": "ee4a68a0-1203-4c85-8dc3-49d0b3226a35",
        "type": "sent",
        "destination": "919876543214",
        "payload": {"ts": 1585344475},
        "conversation": {"id": "532b", "expiresAt": 1518780636, "type": "authentication"},
        "pricing": {"policy": "PMP", "category": "authentication"},
    },
}
DELIVERED = v2("delivered", {"ts": 1747136691})
READ = {
    "app": "MySrCName",
    "timestamp": 1600888666804,
    "version": 2,
    "type": "message-event",
    "payload": {
        "id": "gBEGWEFFIjd2Agna9wZanZnKxtg",
        "gsId": "5336429d-b867-4782-afc1-218aa4639bd3",
        "type": "read",
        "destination": "919876543212",
        "payload": {"ts": 1600888661},
    },
}
FAILED_WITHOUT_REASON = {
    "app": "Glific App",
    "payload": {
        "type": "failed",
        "destination": "919876543216",
        "gsId": "853bab23-0963-42c7-8436-7fe4f5866c76",
        "id": "gBEGkZkXRDmUAgl5FpzpjNgI5Co",
        "payload": {"ts": "1592311836", "code": 1002},
    },
    "timestamp": 1592311842070,
    "type": "message-event",
    "version": 2,
}
MISMATCH = {
    "app": "DemoAPI",
    "timestamp": 1580546677791,
    "version": 2,
    "type": "message-event",
    "payload": {
        "type": "mismatch",
        "destination": "553587654321",
        "payload": {"wa_id": "5593587654321", "phone": "553587654321"},
    },
}
TEST_HIT = {
    "type": "user-event",
    "payload": {"phone": "callbackSetPhone", "type": "sandbox-start"},
}
TEMPLATE_EVENT = {
    "app": "Glific App",
    "payload": {
        "type": "status-update",
        "id": "some-bsp-id",
        "status": "failed",
        "elementName": "order_update",
        "languageCode": "en",
    },
    "timestamp": 1592311842070,
    "type": "template-event",
    "version": 2,
}
BILLING_EVENT = {
    "app": "Glific App",
    "payload": {
        "deductions": {"billable": True, "type": "regular", "category": "authentication"},
        "references": {"gsId": "3b3e7121-3c8c-4347-8d18-7aa0bc3be374", "id": "gBEGkZdhAzaX"},
    },
    "timestamp": 1661319436533,
    "type": "billing-event",
    "version": 2,
}
INCOMING_MESSAGE = {
    "app": "DemoAPI",
    "timestamp": 1580546677791,
    "version": 2,
    "type": "message",
    "payload": {"id": "ABEG", "source": "919876543210", "type": "text", "payload": {"text": "hi"}},
}


def envelope(*statuses: Json, **outside: Any) -> Json:
    """Meta's envelope, and with ``gs_app_id`` Gupshup's version 3."""
    value = {
        "messaging_product": "whatsapp",
        "metadata": {
            "display_phone_number": "917834811114",
            "phone_number_id": "158072934066266",
        },
        "statuses": list(statuses),
    }
    changes = [{"field": "messages", "value": value}]
    entry = [{"id": "112535025189792", "changes": changes}]
    return {"object": "whatsapp_business_account", "entry": entry} | outside


V3_FAILED_STATUS = {
    "gs_id": "91f58e90-f5ba-4cfc-9ca7-e4ab965b9449",
    "id": "wamid.HBgMOTE5OTgwODkwOTc4FQIAERgSNERF",
    "recipient_id": "919876543210",
    "status": "failed",
    "timestamp": "1710941507",
    "errors": [
        {
            "code": 131047,
            "title": "Message failed to send...",
            "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
        }
    ],
}
V3_FAILED = envelope(V3_FAILED_STATUS, gs_app_id="82ed52f4-30c0-4f12-81b4-e7ad07bd41de")
V3_TEST_HIT = envelope({"type": "set-callback"}, gs_app_id="82ed52f4")

# As documented: neither JSON nor anything else.
SMS_BATCH = """[response=
[
{
"externalId": 3562707498794989059-328736121207676738,
"eventType": “DELIVERED",
"eventTs": 1626347800000,
"destAddr”: 919876543210,
“srcAddr”: TESTIN,
“cause”: ”SUCCESS”,
“errCode”: 000,
“channel”: “SMS,
“noOfFrags”:1
},
{
"externalId": 3798318073013708082-252169030017029882,
"eventType": “FAILED",
"eventTs": 1626347800000,
"destAddr”: 919876543210,
“srcAddr”: TESTIN,
“cause”: ”UNKNOWN_SUBSCRIBER”,
“errCode”: 003,
“channel”: “SMS,
“noOfFrags”:1
}
]
]"""
SMS_QUERY = {
    "externalId": "3798318073013708082-252169030017029882",
    "deliveredTS": "1626347800000",
    "status": "FAILURE",
    "cause": "UNKNOWN_SUBSCRIBER",
    "phoneNo": "919876543210",
    "errCode": "003",
    "noOfFrags": "1",
    "mask": "TESTIN",
}
SMS_EVENT = {
    "externalId": "3798318073013708082-252169030017029882",
    "eventType": "FAILED",
    "eventTs": 1626347800000,
    "destAddr": 919876543210,
    "cause": "UNKNOWN_SUBSCRIBER",
    "errCode": 3,
}
