"""One phone across all its verifications: what blocks it, and letting it go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from otp_service.storage.sql import conditions, guesses
from otp_service.storage.sql.columns import DELIVERY, ITS_CODE, VERIFICATION
from otp_service.storage.sql.limits import (
    Window,
    facts,
    failure_windows,
    refusal_windows,
    send_windows,
)
from otp_service.storage.sql.pumping import PumpingGuard

P, V, D, C = PhoneRow, VerificationRow, DeliveryRow, CodeRow
_NOBODY = sa.bindparam("nobody", None, type_=sa.String())
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
    """The newest deliveries, newest first, each with its client and purpose."""

    @property
    def blocks(self) -> bool:
        """Whether a limit stands in the way now."""
        met = any(count.until for count in self.counts)
        return met or bool(self.disabled_at or self.crowd or self.lock)


def report(engine: sa.Engine, limits: Limits, **asked: str | int | None) -> Report:
    """``asked``: phone, purpose, max_attempts, and of a message to it address, prefix, country and
    lifetime. What a client is refused over all phones is not looked at.
    """
    windows = send_windows(limits)
    windows += refusal_windows(replace(limits, client_refusals=()))
    windows += failure_windows(limits, _NOBODY)
    guard, budget = PumpingGuard(limits.pumping), guesses.GuessBudget(limits)
    looked_at = [
        *facts(windows, [window.limit.name for window in windows]),
        *guard.facts,
        *budget.facts,
        conditions.NOW.label("as_of"),
        P.failures,
        P.disabled_at,
        P.unlocked_at,
        conditions.not_on_whatsapp(given("phone")).label("not_on_whatsapp"),
    ]
    the_phone = P.phone == given("phone")
    itself = sa.select(*looked_at).select_from(conditions.ALWAYS).outerjoin(P, the_phone)
    newest = sa.select(*VERIFICATION).where(V.phone == given("phone"))
    newest = newest.order_by(V.created_at.desc()).limit(RECENT)
    (row,) = Transaction(itself, reads=True).run(engine, **asked)
    return Report(
        counts=list(_counts(row, windows)),
        failures_in_a_row=row.failures or 0,
        disabled_at=row.disabled_at,
        unlocked_at=row.unlocked_at,
        not_on_whatsapp=bool(row.not_on_whatsapp),
        live=row.live_count,
        crowd=guesses.crowd(limits, row),
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


def _counts(row: Row, windows: Sequence[Window]) -> Iterator[Count]:
    for number, window in enumerate(windows):
        since = getattr(row, f"full_since_{number}")
        until = since and window.limit.ends_at(since)
        yield Count(window.limit, getattr(row, f"used_{number}"), until)


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
