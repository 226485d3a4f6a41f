"""The templates of the simulated account, as its list of templates shows them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

BODY = "{{1}} is your verification code."
ADVICE = "For your security, do not share this code."


@dataclass(frozen=True)
class Template:
    """``params``: how many values it takes, None for any number. ``button``: it copies the code."""

    id: str
    name: str
    meta_id: str = ""
    status: str = "APPROVED"
    quality: str = "GREEN"
    button: bool = False
    params: int | None = 1
    ttl: int | None = None  # seconds that Meta tries to deliver

    def text(self, params: list[str]) -> str:
        """What the phone shows."""
        return f"{fill(BODY, params)} {ADVICE}"

    def trouble(self, params: list[str]) -> str:
        """The fault of a send with these values, if any. One too few is no trouble for Meta, but
        what a button copies is then no code.
        """
        if self.status == "PAUSED":
            return "failed:132015"
        enough = self.params is None or 1 <= len(params) <= self.params
        return "" if enough else "failed:132000"

    def describe(self) -> dict[str, Any]:
        """One element of the list of templates."""
        return {
            "id": self.id,
            "elementName": self.name,
            "status": self.status,
            "category": "AUTHENTICATION",
            "languageCode": "en_US",
            "languagePolicy": "deterministic",
            "templateType": "TEXT",
            "quality": self.quality,
            "data": f"{BODY} {ADVICE}" + (" | [Copy code]" if self.button else ""),
            "externalId": self.meta_id,
            "containerMeta": json.dumps(self._container()),
            "meta": json.dumps({"example": f"{fill(BODY, ['123456'])} {ADVICE}"}),
            "createdOn": 1763800000000,
            "modifiedOn": 1763800000000,
        }

    def describe_for_meta(self) -> dict[str, Any]:
        """One element of Meta's ``message_templates``; it shows an OTP button as the URL it is."""
        body = {"type": "BODY", "text": f"*{BODY[:5]}*{BODY[5:]} {ADVICE}"}
        components: list[dict[str, Any]] = [body | {"add_security_recommendation": True}]
        if self.button:
            url = "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"
            button = {"type": "URL", "text": "Copy code", "url": url}
            components += [
                {"type": "FOOTER", "text": "Expires in 3 min.", "code_expiration_minutes": 3},
                {"type": "BUTTONS", "buttons": [button]},
            ]
        template: dict[str, Any] = {
            "id": self.meta_id,
            "name": self.name,
            "status": self.status,
            "category": "AUTHENTICATION",
            "language": "en_US",
            "quality_score": {"score": self.quality},
            "rejected_reason": "NONE",
            "components": components,
        }
        return template | ({"message_send_ttl_seconds": self.ttl} if self.ttl else {})

    def _container(self) -> dict[str, Any]:
        container: dict[str, Any] = {
            "appId": "simulator",
            "data": BODY,
            "addSecurityRecommendation": True,
            "sampleText": fill(BODY, ["123456"]),
        }
        if self.button:
            button = {"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy code"}
            container |= {"buttons": [button], "codeExpirationMinutes": 3}
        if self.ttl:
            container["messageSendTtlSeconds"] = self.ttl
        return container


COPY_CODE = Template(
    "5a1e0000-0000-4000-8000-000000000001", "otp_copy_code", "900000000000001",
    button=True, params=2, ttl=180,
)  # fmt: skip
PLAIN = Template("5a1e0000-0000-4000-8000-000000000002", "otp_plain", "900000000000002", ttl=600)
PAUSED = Template(
    "5a1e0000-0000-4000-8000-000000000003", "otp_paused", "900000000000003",
    status="PAUSED", quality="RED", button=True, params=2,
)  # fmt: skip
TEMPLATES = (COPY_CODE, PLAIN, PAUSED)


def by_id(template_id: str) -> Template:
    """A template of the account, or for a foreign id one that takes whatever it gets."""
    found = (t for t in TEMPLATES if template_id in (t.id, t.name))
    return next(found, Template(template_id, "", button=True, params=None))


def fill(text: str, params: list[str]) -> str:
    """Values for ``{{1}}``, ``{{2}}``…; what has no value stays, as on a real phone."""

    def value(match: re.Match[str]) -> str:
        place = int(match[1]) - 1
        return params[place] if 0 <= place < len(params) else match[0]

    return re.sub(r"\{\{([0-9]{1,3})\}\}", value, text)
