"""The systems that call hooks, written after their sources and not after ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
SUPABASE_KEYS = [bytes(range(at, at + 32)) for at in (1, 101)]
SUPABASE_SECRETS = ["v1,whsec_" + base64.b64encode(key).decode() for key in SUPABASE_KEYS]
TOKENS = ["a-token-of-logto-1", "a-token-of-logto-2"]
AUTHGEAR_SECRETS = ["authgear-signs-with-this-1", "authgear-signs-with-this-2"]
ZITADEL_SECRETS = ["zitadel-signs-with-this-1", "zitadel-signs-with-this-2"]
SETTINGS = {
    "HOOK_SUPABASE_SECRET": "|".join(SUPABASE_SECRETS),
    "HOOK_LOGTO_TOKEN": "|".join(TOKENS),
    "HOOK_AUTHGEAR_SECRET": "|".join(AUTHGEAR_SECRETS),
    "HOOK_ZITADEL_SECRET": "|".join(ZITADEL_SECRETS),
}


def hs256(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, hashlib.sha256).digest()


def of_supabase(
    raw: bytes, which: slice = slice(0, 1), age: float = 0, joined: str = ", "
) -> dict[str, str]:
    """generateSignatures and runHTTPHook: an id for each try, one signature for each secret."""
    name, sent = str(uuid.uuid4()), str(int(time.time() - age))
    text = f"{name}.{sent}.".encode() + raw
    made = [base64.b64encode(hs256(key, text)).decode() for key in SUPABASE_KEYS[which]]
    return {
        "webhook-id": name,
        "webhook-timestamp": sent,
        "webhook-signature": joined.join(f"v1,{each}" for each in made),
    }


def of_logto(raw: bytes, which: slice = slice(0, 1), age: float = 0) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[which][0]}"}


def of_authgear(raw: bytes, which: slice = slice(0, 1), age: float = 0) -> dict[str, str]:
    return {"x-authgear-body-signature": hs256(AUTHGEAR_SECRETS[which][0].encode(), raw).hex()}


def of_zitadel(raw: bytes, which: slice = slice(0, 1), age: float = 0) -> dict[str, str]:
    """ComputeSignatureHeader: the time, and one signature for each key."""
    sent = int(time.time() - age)
    text = f"{sent}.".encode() + raw
    made = [hs256(key.encode(), text).hex() for key in ZITADEL_SECRETS[which]]
    return {"ZITADEL-Signature": ",".join([f"t={sent}", *(f"v1={each}" for each in made)])}


def address_of(phone: str) -> str:
    """Where its person sits: of one address come so many messages, and no more."""
    return f"8.{int(phone[-8:]) // 10_000 % 100}.{int(phone[-8:]) // 1_000_000 % 100}.7"


def from_supabase(phone: str, code: str) -> Json:
    """As `NewSendSMSInput` has it: no plus, and an id that all tries share."""
    return {
        "metadata": {
            "uuid": str(uuid.uuid4()),
            "time": "2026-11-28T10:30:00.123456Z",
            "name": "send-sms",
            "ip_address": address_of(phone),
        },
        "user": {"id": str(uuid.uuid4()), "phone": phone[1:], "user_metadata": {"a": [{"b": 1}]}},
        "sms": {"otp": code, "phone": phone[1:]},
    }


def from_logto(phone: str, code: str) -> Json:
    return {
        "to": phone[1:],
        "type": "ForgotPassword",
        "payload": {"code": code, "locale": "en", "uiLocales": "hi-IN en"},
        "ip": address_of(phone),
    }


def from_authgear(phone: str, code: str) -> Json:
    return {
        "to": phone,
        "body": f"{code} is your Myapp verification code",
        "language_tag": "en",
        "app_id": "myapp",
        "template_name": "authenticate_primary_oob_sms.txt",
        "template_variables": {"app_name": "Myapp", "code": code, "has_password": True},
    }


def from_zitadel(phone: str, code: str) -> Json:
    return {
        "contextInfo": {
            "eventType": "user.human.phone.code.added",
            "provider": {"id": "285181292935381355", "description": "WhatsApp"},
            "recipientPhoneNumber": phone,
        },
        "templateData": {"title": "Verify phone", "text": f"{code} is your code for x.org."},
        "args": {"code": code, "lastPhone": phone, "loginNames": ["a@b.c"], "userName": "a"},
    }


@dataclass(frozen=True)
class Caller:
    """``code`` and ``phone`` are the paths of what it sends; ``purpose`` is what becomes of
    ``message``.
    """

    name: str
    message: Callable[[str, str], Json]
    signed: Callable[..., dict[str, str]]
    code: str
    phone: str
    purpose: str
    is_timed: bool = False
    refuses: int = 429

    @property
    def path(self) -> str:
        return f"/hooks/{self.name}"

    def request(self, body: Json | bytes, **how: Any) -> dict[str, Any]:
        """What a client posts."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self.signed(raw, **how)}
        return {"data": raw, "headers": headers}


SUPABASE = Caller(
    "supabase", from_supabase, of_supabase, "sms.otp", "sms.phone", "login", True, 200
)
LOGTO = Caller("logto", from_logto, of_logto, "payload.code", "to", "forgot-password")
AUTHGEAR = Caller(
    "authgear",
    from_authgear,
    of_authgear,
    "template_variables.code",
    "to",
    "authenticate_primary_oob_sms",
)
ZITADEL = Caller(
    "zitadel",
    from_zitadel,
    of_zitadel,
    "args.code",
    "contextInfo.recipientPhoneNumber",
    "user-human-phone-code-added",
    True,
)
ALL = (SUPABASE, LOGTO, AUTHGEAR, ZITADEL)


def with_value(body: Json, path: str, value: object) -> Json:
    """The body with something else at ``path``; a value of `...` takes it out."""
    changed: Json = json.loads(json.dumps(body))
    inner = changed
    *names, last = path.split(".")
    for name in names:
        inner = inner[name]
    inner[last] = value
    if value is ...:
        del inner[last]
    return changed
