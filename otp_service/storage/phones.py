"""One phone across all its verifications: what blocks it, and letting it go on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles its ON CONFLICT just as well

from otp_service.domain.limits import Limit, Limits
from otp_service.domain.quotas import Block, Lock
from otp_service.storage.db.answer import Row
from otp_service.storage.db.transaction import Transaction, given
from otp_service.storage.models.deliveries import DeliveryRow
from otp_service.storage.models.limits import PhoneRow
from otp_service.storage.models.verifications import CodeRow, VerificationRow
from otp_service.storage.sql import conditions, phone_state
from otp_service.storage.sql.columns import DELIVERY, ITS_CODE, VERIFICATION
from otp_service.storage.sql.guesses import GuessBudget, crowd
from otp_service.storage.sql.limits import (
    Used,
    messages_of_address,
    messages_to_phone,
    refusals_to_phone,
    wrong_guesses,
)
from otp_service.storage.sql.pumping import PumpingGuard

P, V, D, C = PhoneRow, VerificationRow, DeliveryRow, CodeRow
RECENT = 10


@dataclass(frozen=True)
class Count:
    """How much of a limit is used, and until when it is met, if it is."""

    limit: Limit
    used: int
    until: datetime | None


@dataclass(frozen=True)
class Report:
    """What one home knows of a phone. ``suspicions`` are broken rules against pumping."""

    counts: Sequence[Count]
    failures_in_a_row: int
    disabled_at: datetime | None
    unlocked_at: datetime | None
    not_on_whatsapp: bool
    live: int
    """So many verifications."""
    crowd: Block | None
    guesses_left: int
    """For a verification that begins now."""
    lock: Lock | None
    suspicions: Sequence[str]
    recent: Sequence[Row]
    """The newest verifications, newest first."""
    messages: Sequence[Row]
    """The newest deliveries, newest first, each with its client and purpose; of codes that others
    made, too.
    """

    @property
    def blocks(self) -> bool:
        """Whether a limit stands in the way now."""
        met = any(count.until for count in self.counts)
        return met or bool(self.disabled_at or self.crowd or self.lock)


def report(engine: sa.Engine, limits: Limits, **asked: str | int | None) -> Report:
    """``asked``: phone, purpose, max_attempts, and of a message to it address, prefix, country and
    lifetime. What a client is refused over all phones is not looked at.
    """
    guard, budget, wrong = PumpingGuard(limits.pumping), GuessBudget(limits), wrong_guesses(limits)
    events = [messages_to_phone(limits), messages_of_address(limits), refusals_to_phone(limits)]
    looked_at = [
        *(fact for each in events for fact in each.facts),
        *guard.facts,
        *budget.facts,
        *phone_state.ROW.columns("unlocked_at"),
        conditions.NOW.label("as_of"),
        conditions.not_on_whatsapp(given("phone")).label("not_on_whatsapp"),
    ]
    lookups = [*budget.lookups, *guard.lookups, *(look for each in events for look in each.lookups)]
    newest = sa.select(*VERIFICATION).where(
        V.phone == given("phone"), V.status != conditions.RELAYED
    )
    newest = newest.order_by(V.created_at.desc()).limit(RECENT)
    asked["ended"] = -int(asked["lifetime"] or 0)
    (row,) = Transaction(*lookups, sa.select(*looked_at), reads=True).run(engine, **asked)
    ceilings = dict.fromkeys((*limits.phone_failures, *limits.guess_ceilings))
    guesses = [_count(used) for used in wrong.used(row, list(ceilings))]
    return Report(
        counts=[*(_count(used) for each in events for used in each.used(row)), *guesses],
        failures_in_a_row=row.in_a_row or 0,
        disabled_at=row.disabled_at,
        unlocked_at=row.unlocked_at,
        not_on_whatsapp=bool(row.not_on_whatsapp),
        live=row.live_count,
        crowd=crowd(limits, row),
        guesses_left=max(0, row.guesses_left),
        lock=budget.lock(row),
        suspicions=guard.suspicions(row),
        recent=Transaction(newest, reads=True).run(engine, **asked),
        messages=_MESSAGES.run(engine, **asked),
    )


_MESSAGES = Transaction(
    sa.select(*DELIVERY, V.client, V.purpose)
    .join_from(D, V, V.id == D.verification_id)
    .outerjoin(C, ITS_CODE)
    .where(D.phone == given("phone"))
    .order_by(D.created_at.desc(), D.id)
    .limit(RECENT),
    reads=True,
)


def _count(used: Used) -> Count:
    until = used.full_since and used.limit.ends_at(used.full_since)
    return Count(used.limit, used.events, until)


_UNLOCKED = {
    "failures": 0,
    "disabled_at": None,
    "unlocked_at": conditions.NOW,
    "updated_at": conditions.NOW,
}
_UNLOCK = Transaction(
    insert(P)
    .values(phone=given("phone"), **_UNLOCKED)
    .on_conflict_do_update(index_elements=[P.phone], set_=_UNLOCKED),
    serialize=[given("phone")],
)


def unlock(engine: sa.Engine, phone: str) -> None:
    """Let nothing that was sent or guessed so far count any more; the code lives on as it is."""
    _UNLOCK.run(engine, phone=phone)
