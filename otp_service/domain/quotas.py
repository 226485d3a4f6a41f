"""What limits leave: messages that a phone may still be sent, and until when it may not."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from otp_service.domain.limits import Limit, seconds_until
from otp_service.domain.values import value


@value
class Quota:
    """What a phone may still be sent: messages left, and seconds until the next one may go."""

    remaining: int
    retry_after: int = 0
    ends_at: datetime | None = None
    """By the store's clock, if there is something to wait for."""


@value
class Block:
    """A limit that is met: whole seconds until it may not be, and by the store's clock when."""

    limit: Limit
    retry_after: int
    ends_at: datetime | None = None

    @classmethod
    def until(cls, limit: Limit, ends_at: datetime, now: datetime) -> Block:
        return cls(limit, seconds_until(ends_at, now), ends_at)

    @classmethod
    def of(cls, quota: Quota, limit: Limit | None) -> Block | None:
        """None unless the quota says that ``limit`` is met."""
        return cls(limit, quota.retry_after, quota.ends_at) if limit else None

    @property
    def details(self) -> dict[str, Any]:
        """For the refusal."""
        ends = {"resets_at": self.ends_at} if self.ends_at else {}
        return {"retry_after": self.retry_after, **self.limit.details, **ends}


@value
class Lock:
    """Why no verification of a phone can be given a guess.

    ``too_many``: so many were wrong that checks by phone alone have ended; otherwise what is left
    is out on verifications that are live.
    """

    block: Block
    too_many: bool
