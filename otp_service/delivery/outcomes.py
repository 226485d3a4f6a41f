"""What a provider's answer means, in the domain's words.

Pure: an `Answer` goes in, a message id or a `DeliveryError` comes out. Errors are returned, not
raised, so that the caller raises them where no exception or frame around holds the request.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from enum import Enum

from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)


class Kind(Enum):
    """Whose trouble it is, and so what may be done about it."""

    RECIPIENT = "this phone can't be reached on this channel"
    DESTINATION = "nobody in this country can be reached"
    REFUSED = "refused, and the provider doesn't tell whose fault it is"
    CONFIG = "our settings, template or request are wrong"
    OPERATOR = "the account needs its owner: an empty wallet, a lock, a bill"
    TEMPORARY = "nothing was taken; later it may be"
    AMBIGUOUS = "it may have been taken"


# Gupshup's and Meta's codes (docs.gupshup.io/docs/error-and-status-messages, Meta's error codes),
# then HTTP statuses. A code is asked first, then the exact status, then its family.
_NAMES: dict[Kind, str] = {
    Kind.RECIPIENT: """
        1002 1012 1013 131026
        472 130472 131049 131050""",  # held out, capped or stopped by Meta, whatever we do today
    Kind.DESTINATION: "130497",
    Kind.REFUSED: "HTTP-4xx HTTP-2xx-error",
    Kind.CONFIG: """
        1001 1004 1005 1006 1007 1008 4003 4004 132000 132001 132012 132016 133010
        0 10 190 """  # 0 to 299: Meta's own token and permissions
    + " ".join(str(code) for code in range(200, 300))
    + """
        470 1009 1010 1011 131047 131062
        HTTP-401 HTTP-403 HTTP-3xx""",  # a redirect is never followed: the URL is wrong
    Kind.OPERATOR: "1003 368 131031 131037 131042 131048",
    Kind.TEMPORARY: """
        1 2 500 503 4001 471 130429 131056 131057
        4005 132015
        HTTP-429 HTTP-5xx""",
    # 504 and 524: a gateway waited in vain, so its upstream has the request. A 2xx that can't be
    # read, or has no id, says "taken" all the same: voiding its code would strand a person who
    # holds the message, and sending again might send it twice.
    Kind.AMBIGUOUS: "4002 HTTP-504 HTTP-524 HTTP-2xx HTTP-1xx",
}
KINDS = {name: kind for kind, names in _NAMES.items() for name in names.split()}

ERRORS: dict[Kind, type[DeliveryError]] = {
    Kind.RECIPIENT: DeliveryFailed,
    Kind.DESTINATION: DeliveryFailed,
    Kind.REFUSED: DeliveryFailed,
    Kind.CONFIG: DeliveryFailed,
    Kind.OPERATOR: DeliveryFailed,
    Kind.TEMPORARY: DeliveryUnavailable,
    Kind.AMBIGUOUS: DeliveryUnconfirmed,
}

RETRY_AFTER = 5  # seconds, when the provider names none; Gupshup documents none
MAX_ID = 200  # characters; real ones have 36
MAX_REASON = 200  # characters


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. ``body`` is empty if it was too big; ``retry_after`` is the raw header."""

    status: int
    body: bytes = field(repr=False)  # a provider may echo the code
    retry_after: str = ""


def read(answer: Answer, *secrets: str) -> str | DeliveryError:
    """The provider's message id, or why there is none. No error will hold a ``secret``."""
    said = _object(answer.body)
    message_id = said.get("messageId")
    if not _refused(answer.status, said) and answer.status >= 200 and _is_id(message_id):
        return str(message_id)
    words = said.get("message")
    reason = words if isinstance(words, str) and words.strip() else f"HTTP {answer.status}"
    return error(_kind(answer.status, said), scrub(reason, *secrets), _seconds(answer.retry_after))


def error(kind: Kind, reason: str, retry_after: int = RETRY_AFTER) -> DeliveryError:
    """The domain's error for this kind of trouble; only one that may pass has a ``retry_after``."""
    passes = ERRORS[kind] is DeliveryUnavailable
    return ERRORS[kind](reason, retry_after=retry_after if passes else None)


def scrub(text: str, *secrets: str) -> str:
    """``text`` fit to be kept: no secret, phones masked, one printable line, 200 characters.

    A secret is found in any case, and with single spaces or dashes inside ("123-456"). Longer
    ones go first and the cut comes last: a part of a secret would not be recognized any more.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = re.sub(r"[\s-]?".join(map(re.escape, secret)), "…", text, flags=re.IGNORECASE)
    text = re.sub(r"\d(?:[\s().-]{0,2}\d){6,}", lambda run: f"••••{run[0][-4:]}", text)
    return "".join(char if char.isprintable() else " " for char in text).strip()[:MAX_REASON]


def _refused(status: int, said: dict[str, object]) -> bool:
    return status >= 300 or said.get("status") == "error"


def _kind(status: int, said: dict[str, object]) -> Kind:
    names = [family := f"HTTP-{status // 100}xx"]
    if _refused(status, said):
        names = [str(said.get("code")).strip(), f"HTTP-{status}", f"{family}-error", family]
    return next((KINDS[name] for name in names if name in KINDS), Kind.AMBIGUOUS)


def _object(body: bytes) -> dict[str, object]:
    """The body's JSON object; empty if it is anything else. Its content type may say text/html."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _is_id(value: object) -> bool:
    """Printable, because Postgres stores no NUL and we could not record what was sent."""
    return isinstance(value, str) and value.isprintable() and 0 < len(value.strip()) <= MAX_ID


def _seconds(header: str) -> int:
    """``Retry-After`` if it is 1 to 3600 seconds; it may also be a date, or nonsense."""
    told = int(header) if re.fullmatch(r"[0-9]{1,4}", header) else 0
    return told if 1 <= told <= 3600 else RETRY_AFTER
