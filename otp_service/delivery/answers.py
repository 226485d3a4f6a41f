"""What a provider's answer to a send means, in the domain's words.

Pure: an `Answer` goes in, a message id or a `DeliveryError` comes out. Errors are returned, not
raised, so that the caller raises them where no exception or frame around holds the request.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from otp_service.delivery import failure_reasons
from otp_service.delivery.failure_codes import FAMILIES, HTTP, meaning
from otp_service.delivery.failure_reasons import Trouble
from otp_service.delivery.parsing import MAX_REASON
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError, delivery_error
from otp_service.domain.failures import Failure


@dataclass(frozen=True)
class Answer:
    """An HTTP answer. ``body`` is empty if it was too big; ``retry_after`` is the raw header."""

    status: int
    body: bytes = field(repr=False)  # a provider may echo the code
    retry_after: str = ""


@dataclass(frozen=True)
class Said:
    """What a body says, whichever way its provider writes it."""

    message_id: str | None = None
    refused: bool = False
    trouble: Trouble = field(default_factory=Trouble)


def read(answer: Answer, said: Said, family: str, *secrets: str) -> str | DeliveryError:
    """The provider's message id, or why there is none. No error will hold a ``secret``."""
    refused = said.refused or answer.status >= 300
    if said.message_id and not refused and answer.status >= 200:
        return said.message_id
    trouble = said.trouble
    words = trouble.words or failure_reasons.page_words(answer.body)
    known = meaning(family, trouble.code, words, trouble.subcode) if refused else None
    failure = known or _of_status(answer.status, refused)
    in_list = trouble.code in FAMILIES[family]
    reason = failure_reasons.told(trouble, answer.body, *secrets, known=in_list)
    if not (trouble.code or trouble.words):
        reason = ": ".join(filter(None, [f"HTTP {answer.status}", reason]))[:MAX_REASON]
    return delivery_error(failure, reason, _seconds(answer.retry_after))


def _of_status(status: int, refused: bool) -> Failure:
    hundred = f"{status // 100}xx"
    asked = [str(status), f"{hundred}-error", hundred] if refused else [hundred]
    return next(filter(None, map(FAMILIES[HTTP].get, asked)), failures.UNCONFIRMED)


def _seconds(header: str) -> int | None:
    """``Retry-After`` if it is 1 to 3600 seconds, else None: it may be a date, or nonsense."""
    told = int(header) if re.fullmatch(r"[0-9]{1,4}", header) else 0
    return told if 1 <= told <= 3600 else None
