"""Which error an answer is that did not take the message.

Pure: errors are returned, not raised, so that the caller raises them where no exception or frame
around holds the request.
"""

from __future__ import annotations

import re

from otp_service.delivery import failure_reasons
from otp_service.delivery.failure_codes import FAMILIES, HTTP, meaning
from otp_service.delivery.failure_reasons import Trouble
from otp_service.delivery.http import Answer
from otp_service.delivery.parsing import MAX_REASON
from otp_service.domain import failures
from otp_service.domain.errors import DeliveryError, delivery_error
from otp_service.domain.failures import Failure


def error_of(
    answer: Answer, trouble: Trouble, family: str, *secrets: str, refused: bool
) -> DeliveryError:
    """``refused``: its body says so, whatever its status. No error will hold a ``secret``."""
    refused = refused or answer.status >= 300
    words = trouble.words or failure_reasons.page_words(answer.body)
    known = meaning(family, trouble.code, words, trouble.subcode) if refused else None
    failure = known or _of_status(answer.status, refused)
    in_list = trouble.code in FAMILIES[family]
    reason = failure_reasons.reason_of(trouble, answer.body, *secrets, known=in_list)
    if not (trouble.code or trouble.words):
        reason = ": ".join(filter(None, [f"HTTP {answer.status}", reason]))[:MAX_REASON]
    return delivery_error(failure, reason, _seconds(answer.retry_after))


def _of_status(status: int, refused: bool) -> Failure:
    hundred = f"{status // 100}xx"
    asked = [str(status), f"{hundred}-error", hundred] if refused else [hundred]
    return next(filter(None, map(FAMILIES[HTTP].get, asked)), failures.UNCONFIRMED)


def _seconds(header: str) -> int | None:
    """``Retry-After`` if it is 1 to 3600 seconds, else None: it may be a date, or nonsense."""
    seconds = int(header) if re.fullmatch(r"[0-9]{1,4}", header) else 0
    return seconds if 1 <= seconds <= 3600 else None
