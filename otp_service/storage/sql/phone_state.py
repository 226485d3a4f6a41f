"""What limits need to know of a phone across its verifications, looked up once."""

from __future__ import annotations

import sqlalchemy as sa
import sqlalchemy.orm

from otp_service.storage.db.lookup import Lookup
from otp_service.storage.db.transaction import given
from otp_service.storage.models.dialects import UtcTime
from otp_service.storage.models.limits import PhoneRow
from otp_service.storage.models.verifications import VerificationRow
from otp_service.storage.sql.conditions import live

P = PhoneRow
L = sa.orm.aliased(VerificationRow)  # live, of the phone, whoever asked for it and for what
_PHONE = given("phone", sa.String())

ROW = Lookup(
    sa.select(P.unlocked_at, P.disabled_at, P.failures.label("in_a_row")).where(P.phone == _PHONE)
)
"""An operator's unlocking, the lock that only an operator ends, wrong guesses in a row."""
IS_KNOWN = ROW["in_a_row"].is_not(None)
"""There is such a row: without one no guess was wrong for longer than any window is."""
DISABLED = ROW["disabled_at"].is_not(None)
IN_A_ROW = sa.func.coalesce(ROW["in_a_row"], sa.literal(0))

LIVE_ONES = Lookup(
    sa.select(
        sa.func.count().label("live_count"),
        sa.func.coalesce(sa.func.sum(L.max_attempts - L.attempts), 0).label("guesses_out"),
        sa.func.min(L.expires_at, type_=UtcTime()).label("live_until"),
    ).where(L.phone == _PHONE, live(L))
)
"""How many verifications are live, how many guesses they have, when the first one ends."""
