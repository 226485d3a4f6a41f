"""The shapes of answers. The OpenAPI document is made from these."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, pre_dump

from otp_service.domain.errors import CodeAlreadySent
from otp_service.domain.failures import explain
from otp_service.domain.sending import Sent
from otp_service.domain.verification import Channel, DeliveryStatus, Status
from otp_service.web.fields import (
    MESSAGE_ID,
    PHONE,
    VERIFICATION_ID,
    Answer,
    Choice,
    Text,
    Time,
    Whole,
)

PROOF = (
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImtQcktfcW14VldhWVZBOXd3QkY2SXVvM3ZWeno3VHhIQ1R3WEJ5Z3JTNGsiLC"
    "J0eXAiOiJKV1QifQ.eyJpc3MiOiJvdHAtc2VydmljZSIsInN1YiI6Iis5MTk4NzY1NDMyMTAiLCJhdWQiOiJzaG9wI"
    "iwiaWF0IjoxNzk1MzY4NjQ5LCJleHAiOjE3OTUzNjg5NDksImp0aSI6IlJrMVpDNWJCWGhIR2ZUak4zcTBYM2ciLCJ"
    "wdXJwb3NlIjoibG9naW4iLCJ2ZXJpZmljYXRpb25faWQiOiJzMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZ"
    "WYiLCJjaGFubmVsIjoid2hhdHNhcHAiLCJhdXRoX3RpbWUiOjE3OTUzNjg2NDl9.2H2-xGNM8l1d0Ay2GEuJZTVG00"
    "0N6gMPEMSJFgfDmSlIKGOL2Qz_ODWKad4Z5kf70v_vocb8NxQiGYQWf9QIBw"
)


class LastMessageSchema(Answer):
    """The message that carries a live code, where another is asked for."""

    channel = Choice(Channel)
    status = Choice(DeliveryStatus)
    failure = Text(
        "Why it failed; never changes its meaning", "not_on_whatsapp", attribute="error_code"
    )
    explanation = fields.Function(
        lambda delivery: explain(delivery.error_code),
        metadata={"type": "string", "description": "The same in plain words"},
    )
    reason = Text("The provider's own reason", "1002: Number Does Not Exists On WhatsApp")


class SentSchema(Answer):
    """A verification that waits for its code."""

    verification_id = Text("Names this verification", VERIFICATION_ID, required=True)
    phone_number = Text("E.164", PHONE, required=True)
    purpose = Text("What is being proved", "login", required=True)
    status = Choice(Status)
    channel = Choice(Channel)
    expires_at = Time("When the code ends", required=True)
    expires_in = Whole("Seconds until then", 180)
    attempts_remaining = Whole("Wrong guesses left", 5)
    sends_remaining = Whole("Messages left for this phone", 4)
    resend_after = Whole("Seconds until one may be sent", 0)
    otp = Text("The code itself: in the sandbox only", "123456")
    delivery = fields.Nested(
        LastMessageSchema, metadata={"description": "With `otp_already_sent` only"}
    )

    @pre_dump
    def facts(self, sent: Sent | CodeAlreadySent, **_: Any) -> dict[str, Any]:
        """At one level: marshmallow looks for what lies deeper step by step."""
        its, quota = sent.verification, sent.quota
        return {
            "verification_id": its.id,
            "phone_number": its.phone,
            "purpose": its.purpose,
            "status": its.status,
            "channel": its.channel,
            "expires_at": its.expires_at,
            "expires_in": its.expires_in,
            "attempts_remaining": its.attempts_remaining,
            "sends_remaining": quota.remaining,
            "resend_after": quota.retry_after,
            "otp": getattr(sent, "exposed_code", None),
            "delivery": getattr(sent, "delivery", None),
        }


class VerifiedSchema(Answer):
    phone_number = Text("E.164", PHONE, attribute="phone", required=True)
    purpose = Text("What is being proved", "login", required=True)
    verification_id = Text(
        "Names this verification", VERIFICATION_ID, attribute="id", required=True
    )
    verified_at = Time("When the right code was checked", required=True)
    proof = Text("A signed JWT that says so, where OTP_PROOF is on", PROOF)


class PricingSchema(Answer):
    """What the provider told of a message's price: no amount, but what it is reckoned by."""

    billable = fields.Boolean(metadata={"description": "Whether it is charged for"})
    pricing_model = Text("PMP: per message", "PMP", attribute="model")
    category = Text("In Meta's words", "authentication")
    type = Text("In Meta's words", "regular")


class DeliverySchema(Answer):
    """One message."""

    channel = Choice(Channel)
    provider = Text("Who carries it", "gupshup", required=True)
    status = Choice(DeliveryStatus)
    queued_at = Time("Stored, to be sent", attribute="created_at", required=True)
    submitted_at = Time("The provider took it")
    sent_at = Time("On its way to the phone")
    delivered_at = Time("On the phone")
    read_at = Time("Seen by the person")
    failed_at = Time("It did not arrive")
    error_code = Text("Why it failed; never changes its meaning", "not_on_whatsapp")
    explanation = fields.Function(
        lambda delivery: explain(delivery.error_code),
        metadata={"type": "string", "description": "The same in plain words"},
    )
    reason = Text("The provider's own reason", "1002: Number Does Not Exists On WhatsApp")
    pricing = fields.Nested(PricingSchema, attribute="price")


class VerificationSchema(Answer):
    """A verification with all its deliveries, in order."""

    verification_id = Text(
        "Names this verification", VERIFICATION_ID, attribute="id", required=True
    )
    phone_number = Text("E.164", PHONE, attribute="phone", required=True)
    purpose = Text("What is being proved", "login", required=True)
    channel = Choice(Channel)
    status = Choice(Status)
    attempts = Whole("Wrong guesses so far", 0, required=True)
    attempts_remaining = Whole("Wrong guesses left", 5, required=True)
    created_at = Time("When it was begun", required=True)
    expires_at = Time("When its code ends", required=True)
    expires_in = Whole("Seconds until then, 0 when over", 180, required=True)
    verified_at = Time("When the right code was checked")
    canceled_at = Time("When it was canceled")
    deliveries = fields.List(fields.Nested(DeliverySchema), required=True)
    client = Text("Whose it is: told to keys with the scope `support`", "shop")


class RelayedSchema(Answer):
    """A code of another system's, on its way."""

    message_id = Text("Names this message", MESSAGE_ID, attribute="id", required=True)
    phone_number = Text("E.164", PHONE, attribute="phone", required=True)
    purpose = Text("What the code is for", "login", required=True)
    channel = Choice(Channel)
    status = Choice(DeliveryStatus)


class MessageSchema(RelayedSchema):
    """The same with all its deliveries, in order; ``status`` is of the one that came furthest."""

    created_at = Time("When it was asked for", required=True)
    expires_at = Time("When its code ends", required=True)
    deliveries = fields.List(fields.Nested(DeliverySchema), required=True)
    client = Text("Whose it is: told to keys with the scope `support`", "shop")


class VerificationsSchema(Answer):
    """The newest first."""

    verifications = fields.List(fields.Nested(VerificationSchema), required=True)
