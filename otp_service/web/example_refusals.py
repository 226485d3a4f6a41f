"""An example of every refusal, made by the code that makes the real ones."""

from __future__ import annotations

from datetime import timedelta

from otp_service.domain import errors as domain
from otp_service.domain import failures
from otp_service.domain.errors import OtpError
from otp_service.domain.limits import Limit
from otp_service.domain.quotas import Quota
from otp_service.web import errors as web
from otp_service.web import json_position
from otp_service.web.examples import CREATED, FAILED, VERIFICATION
from otp_service.web.fields import PHONE, VERIFICATION_ID

_END = CREATED + timedelta(minutes=5)


def _not_sent(failure: failures.Failure, reason: str) -> OtpError:
    error = domain.delivery_error(failure, reason)
    error.phone, error.verification_id = PHONE, VERIFICATION_ID
    return error


_REFUSALS: tuple[OtpError, ...] = (
    domain.CodeAlreadySent(VERIFICATION, Quota(4), FAILED),
    domain.CodeIncorrect(phone=PHONE, attempts_remaining=4),
    domain.CodeNotFound(phone=PHONE),
    domain.InvalidRequest({"otp": ["Missing. Needed: exactly 6 digits, such as 123456."]}),
    domain.InvalidPhoneNumber("too_short"),
    domain.VerificationNotFound(),
    domain.MessageNotFound(),
    domain.SendLimitExceeded(
        phone=PHONE, retry_after=412, **Limit("phone_sends", 5, 600).details, resets_at=_END
    ),
    domain.RequestLimitExceeded(
        retry_after=1, **Limit("client_requests", 50, 1).details, resets_at=_END
    ),
    domain.DestinationNotAllowed(phone=PHONE, reason="country"),
    domain.TooManyAttempts(
        phone=PHONE, retry_after=97, limit="verification_attempts", allowed=5, resets_at=_END
    ),
    domain.PhoneLocked(
        phone=PHONE, retry_after=2711, **Limit("phone_failures", 10, 3600).details, resets_at=_END
    ),
    _not_sent(failures.BALANCE_EMPTY, "1003: Wallet Balance Low"),
    domain.IdempotencyInProgress(phone=PHONE, retry_after=1),
    domain.IdempotencyKeyReused(phone=PHONE),
    _not_sent(failures.RATE_LIMITED, "130429: Rate limit hit"),
    _not_sent(failures.UNCONFIRMED, "no usable answer: ReadTimeout"),
    domain.StorageUnavailable(),
    web.BadRequest(),
    web.InvalidJson(**json_position.place("Expecting ',' delimiter", '{"otp": "1" ', 12)),
    web.WrongWebhookSecret(),
    web.WrongWebhookSignature(),
    web.WrongVerifyToken(),
    web.WrongHookSignature("webhook-signature", "HOOK_SUPABASE_SECRET"),
    web.Unauthorized(),
    web.WrongWebhookAddress(),
    web.Forbidden(),
    web.NotFound(),
    web.MethodNotAllowed(),
    web.BodyTooLarge(),
    web.UnsupportedMediaType(),
    web.Busy(retry_after=5),
    web.NotReady(),
    web.InternalError(),
)
REFUSALS = {type(refusal): refusal for refusal in _REFUSALS}
