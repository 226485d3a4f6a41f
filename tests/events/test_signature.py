"""Signatures as Standard Webhooks 1.0 has them."""

from __future__ import annotations

import base64
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from otp_service.events.signature import secret_of, sign

KEY = bytes(range(200, 232))


def test_a_secret_is_the_keys_base64_with_a_prefix() -> None:
    secret = secret_of(KEY)
    assert secret == "whsec_yMnKy8zNzs/Q0dLT1NXW19jZ2tvc3d7f4OHi4+Tl5uc="
    assert base64.b64decode(secret.removeprefix("whsec_"), validate=True) == KEY


def test_it_is_the_one_of_the_specification() -> None:
    """Its example, from the standard-webhooks repository."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    signed = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_library_takes_it_and_nothing_that_was_changed() -> None:
    now = int(time.time())
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(now),
        "webhook-signature": sign(KEY, "evt_1", now, b'{"a":1}'),
    }
    assert Webhook(secret_of(KEY)).verify('{"a":1}', headers) == {"a": 1}
    for changed in ({"webhook-id": "evt_2"}, {"webhook-timestamp": str(now - 1)}):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret_of(KEY)).verify('{"a":1}', headers | changed)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_of(KEY)).verify('{"a":2}', headers)
