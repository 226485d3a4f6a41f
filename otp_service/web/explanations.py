"""What each error code means: the rule that was broken, and an example of what is right."""

from __future__ import annotations

from dataclasses import dataclass

from otp_service.web.fields import PHONE, VERIFICATION_ID

PATH = "/docs/errors"


@dataclass(frozen=True)
class Explanation:
    """``rule``: what holds, and what may be done; ``example``: how it looks when it is right."""

    rule: str
    example: str


_BODY = f'{{"phone_number": "{PHONE}"}}'
_WAIT = "It is counted in a window that slides: wait for retry_after seconds"

EXPLANATIONS: dict[str, Explanation] = {
    "bad_request": Explanation(
        "One HTTP request that can be read in one way only (RFC 9112): a path that begins with one "
        "slash, one Host, one length, headers of one line each.",
        "GET /health HTTP/1.1",
    ),
    "invalid_json": Explanation(
        "The body is one JSON object in UTF-8, nested at most 20 deep, without NaN or Infinity.",
        _BODY,
    ),
    "invalid_request": Explanation(
        "Each field follows the rule that stands beside its name in fields, and no other is taken.",
        _BODY,
    ),
    "invalid_phone_number": Explanation(
        "An international number: a plus, the country's code, then the number; no extension. "
        "reason tells what is wrong with this one.",
        PHONE,
    ),
    "unauthorized": Explanation(
        "A key travels as Authorization: Bearer KEY or as X-API-Key: KEY. The operator makes one "
        "with otp keys create.",
        "Authorization: Bearer KEY",
    ),
    "forbidden": Explanation(
        "A key has scopes: otp to send, check and cancel; read to look at verifications and "
        "metrics; support to look at every client's verifications; admin for the debug pages.",
        "otp keys create NAME --scope otp --scope read",
    ),
    "destination_not_allowed": Explanation(
        "Messages go where the operator lets them go; reason tells which rule kept this one back.",
        "a mobile number in one of OTP_ALLOWED_COUNTRIES",
    ),
    "not_found": Explanation(
        "A path is spelt exactly as in /openapi.json; an id is one that this client was given.",
        f"GET /verifications/{VERIFICATION_ID}",
    ),
    "method_not_allowed": Explanation(
        "A path takes the methods that the header Allow names.", "POST /send-otp"
    ),
    "idempotency_in_progress": Explanation(
        "The first request with this key is not answered yet: repeat it after retry_after seconds.",
        "Idempotency-Key: 8e03978e-40d5-43e8",
    ),
    "body_too_large": Explanation(
        "A body has at most 16 KiB (16384 bytes); those of others' formats may have more.", _BODY
    ),
    "unsupported_media_type": Explanation(
        "A body is JSON in UTF-8, and says so in its Content-Type.",
        "Content-Type: application/json",
    ),
    "idempotency_key_reused": Explanation(
        "A key belongs to one call with one body: another request needs another key.",
        "Idempotency-Key: 8e03978e-40d5-43e8",
    ),
    "rate_limit_exceeded": Explanation(
        f"A key may make so many requests in a second. {_WAIT}.", "Retry-After: 1"
    ),
    "send_limit_exceeded": Explanation(
        f"A phone gets so many messages; limit names which rule was met. {_WAIT}.",
        "Retry-After: 412",
    ),
    "too_many_attempts": Explanation(
        "A verification may be guessed wrong so often; then not even the right code counts. Send "
        "another code.",
        "POST /send-otp",
    ),
    "phone_locked": Explanation(
        f"A phone may be guessed wrong so often, over all its verifications. {_WAIT}.",
        "Retry-After: 2711",
    ),
    "otp_already_sent": Explanation(
        "A code for this phone and purpose is alive: check that one, or ask for the next.",
        "POST /resend-otp",
    ),
    "invalid_otp": Explanation(
        "The code is another one; attempts_remaining tells how many guesses are left.",
        "POST /verify-otp",
    ),
    "otp_not_found": Explanation(
        "There is no code to check: none was sent, or it expired, was used or was canceled.",
        "POST /send-otp",
    ),
    "delivery_failed": Explanation(
        "The provider refused the message for good; failure tells why. Nothing was counted.",
        "another number, or what docs/delivery.md says of the failure",
    ),
    "delivery_unconfirmed": Explanation(
        "The provider gave no clear answer: the message may arrive, and its code is valid.",
        "POST /verify-otp",
    ),
    "delivery_unavailable": Explanation(
        "The provider is down or busy and took nothing. Nothing was counted: try again later.",
        "Retry-After: 5",
    ),
    "storage_unavailable": Explanation(
        "No database could be asked. Nothing was counted or used up: try again.", "Retry-After: 2"
    ),
    "busy": Explanation(
        "Of bodies over 16 KiB, as others' formats may have, 64 at a time are read, and of those "
        "over 256 KiB four. Nothing was looked at: send it again after retry_after seconds.",
        "Retry-After: 5",
    ),
    "not_ready": Explanation(
        "No code could be issued or checked now, or the server stops; state tells of each part.",
        "GET /ready",
    ),
    "internal_error": Explanation(
        "This is a fault of the service. Its log has the line with this X-Request-ID.",
        "X-Request-ID: 3f9a0c1e5b7d4a2f8c6e1d0b9a7f5e3c",
    ),
}


def of_fault(code: str, status: int) -> dict[str, str]:
    """What an answer says about its error beyond the code: of the caller's faults the rule, too.

    ``documentation`` is a path of this server that needs no key.
    """
    known = EXPLANATIONS.get(code)
    of_caller = vars(known) if known and status < 500 else {}
    return {**of_caller, "documentation": f"{PATH}/{code}"}
