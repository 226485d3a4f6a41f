"""One check of a code: what the store is asked, and its verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field
from enum import Enum

from otp_service.domain.drafts import RequestKey
from otp_service.domain.quotas import Block
from otp_service.domain.values import value
from otp_service.domain.verification import Person, Verification


class Verdict(str, Enum):
    """What became of one check."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"
    USED_UP = "used up"
    LOCKED = "locked"
    KEY_REUSED = "key reused"


@value
class Check:
    """A code that a person typed. ``tags`` are its candidates, one for each secret; ``exempt`` says
    that it is a test number's.
    """

    person: Person
    verification_id: str | None
    tags: Sequence[str] = field(repr=False)
    phone_digest: str
    key: RequestKey | None = None
    exempt: bool = False


@value
class CheckResult:
    """``verification`` is None when missing or the key was reused; ``block`` is there only when
    locked, ``attempts_remaining`` are those after a wrong one.
    """

    verdict: Verdict
    verification: Verification | None = None
    block: Block | None = None
    attempts_remaining: int = 0
