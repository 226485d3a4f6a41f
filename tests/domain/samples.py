"""A person, a deployment's choices, and what is stored of them: to be varied by each test."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from otp_service.domain.codes import Codes, Secret
from otp_service.domain.drafts import Draft, Issued, RequestKey, SendOptions
from otp_service.domain.limits import Limit
from otp_service.domain.messages import Outgoing
from otp_service.domain.policy import Policy
from otp_service.domain.quotas import Quota
from otp_service.domain.verification import (
    Channel,
    Delivery,
    DeliveryStatus,
    Person,
    Status,
    Verification,
)

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
PHONE, TEST_NUMBER = "+919876543210", "+1234567890"
PERSON, TESTER = Person("shop", PHONE, "login"), Person("shop", TEST_NUMBER, "login")
CODES = Codes([Secret(bytes(range(32))), Secret(bytes(range(32, 64)))], 6, {TEST_NUMBER: "424242"})
POLICY = Policy(
    lifetime=300,
    max_attempts=5,
    grace=1,
    expose_code=False,
    test_numbers=frozenset({TEST_NUMBER}),
    sms_after=30,
)
KEY = RequestKey("the-key", ("new-secret-print", "old-secret-print"))
TEN_MINUTES = Limit("phone_sends", 5, 600)

DELIVERY = Delivery("d1", 1, Channel.WHATSAPP, "fake", DeliveryStatus.QUEUED, NOW)
VERIFICATION = Verification(
    id="p01",
    client=PERSON.client,
    phone=PHONE,
    purpose=PERSON.purpose,
    channel=Channel.WHATSAPP,
    status=Status.PENDING,
    generation=1,
    attempts=0,
    max_attempts=5,
    created_at=NOW,
    expires_at=NOW + timedelta(seconds=300),
    as_of=NOW,
    deliveries=(DELIVERY,),
)
MESSAGE = Outgoing(
    verification_id=VERIFICATION.id,
    delivery_id=DELIVERY.id,
    phone=PHONE,
    generation=1,
    secret_id=CODES.secret_id,
    channel=Channel.WHATSAPP,
    provider="fake",
    locale="en",
    expires_in=300,
    auto=False,
)
CODE = CODES.make(PHONE, VERIFICATION.id, 1, CODES.secret_id)
DRAFT = Draft(
    person=PERSON,
    channel=Channel.WHATSAPP,
    provider="fake",
    sms_provider=None,
    options=SendOptions(),
    lifetime=300,
    max_attempts=5,
    mac_for=lambda verification_id, generation: "a-mac",
    secret_id=CODES.secret_id,
    exempt=False,
    phone_digest="a-digest",
    country="IN",
)
STORED = Issued(DRAFT, 1, live=VERIFICATION, quota=Quota(4), outgoing=MESSAGE)
"""A message that the store has taken."""
NOT_STORED = replace(STORED, live=None, outgoing=None)
