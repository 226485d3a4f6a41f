"""What Twilio Verify's calls mean here: whose code, over which channel, which verification."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from flask import g

from otp_service.domain.drafts import SendOptions
from otp_service.domain.errors import (
    DeliveryUnconfirmed,
    InvalidPhoneNumber,
    InvalidRequest,
    StorageUnavailable,
    VerificationNotFound,
)
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Channel, Person, Verification
from otp_service.web.errors import NotFound
from otp_service.web.fields import PHONE, needed
from otp_service.web.twilio_forms import SERVICE_SID, VERIFICATION_SID

Body = dict[str, Any]


def purpose_of(service_sid: str) -> str:
    """Raises `NotFound` if it is none of a service."""
    if not re.fullmatch(SERVICE_SID, service_sid):
        raise NotFound
    return service_sid[2:].lower()


def send_options(body: Body, *, has_sms: bool) -> SendOptions:
    """Of a start. Its SMS is a WhatsApp message where there is no sender of one."""
    channel = body["Channel"]
    if channel == Channel.SMS.value and not has_sms:
        channel = Channel.WHATSAPP.value
    return SendOptions(
        channel=channel,
        locale=body.get("Locale"),
        address=body.get("DeviceIp"),
        code=body.get("CustomCode"),
    )


def started(service: OtpService, person: Person, options: SendOptions) -> Verification:
    """With its deliveries. The message is out, or may be: the answer is right without them."""
    try:
        sent = service.resend(person, options).verification
    except DeliveryUnconfirmed as unconfirmed:
        if unconfirmed.verification_id is None:
            raise
        g.refusal = unconfirmed
        return service.begun(unconfirmed.verification_id)
    with suppress(StorageUnavailable):
        return service.begun(sent.id)
    return sent


def named(service: OtpService, purpose: str, name: str) -> Verification:
    """By its sid, or its phone."""
    try:
        if re.fullmatch(VERIFICATION_SID, name):
            found = service.get(g.client, _id(service, name))
        else:
            found = service.newest(Person(g.client, name, purpose))
    except InvalidPhoneNumber:
        found = None
    if found is None or found.purpose != purpose:
        raise VerificationNotFound
    return found


def _id(service: OtpService, sid: str) -> str:
    return service.id_of(sid[2:].lower())


def asked(service: OtpService, body: Body, purpose: str) -> tuple[Person, str | None]:
    """Whose code is to be checked, and the id of their verification if it was named."""
    phone, sid = body.get("To"), body.get("VerificationSid")
    if sid is None and phone is None:
        raise InvalidRequest({"To": [f"Missing. {needed('a phone, or VerificationSid', PHONE)}"]})
    if phone is None:
        found = named(service, purpose, str(sid))
        return Person(g.client, found.phone, purpose), found.id
    return Person(g.client, phone, purpose), _id(service, sid) if sid else None
