"""Events to callers: the endpoints that get them, the outbox, what happens to verifications.

Triggers write the events, so that whatever transaction changes a status tells of it, one of the
release before included. Without an endpoint they write nothing. What happens to messages is the
next revision: whoever holds both tables could lock out a request that has one and wants the other.

Expand only: the release before works with this schema, too.

Revision: 0014, after 0013
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"
STARTED = "NEW.status = 'pending'"
ENDED = "OLD.status = 'pending' AND NEW.status IN ('verified', 'failed', 'expired', 'canceled')"
TYPE = "'verification.' || CASE NEW.status WHEN 'pending' THEN 'started' ELSE NEW.status END"
# It fails with its last guess, or since its message did; then for that one's reason.
OF_MESSAGE = """(
    SELECT d.{column} FROM {schema}deliveries d
    WHERE NEW.status = 'failed' AND NEW.attempts < NEW.max_attempts
      AND d.verification_id = NEW.id AND d.status = 'failed'
    ORDER BY d.failed_at DESC LIMIT 1
  )"""
EVENT = """INSERT INTO {schema}events (
  id, endpoint_id, verification_id, type, at, status, channel, failure, reason, tries, due_at
)
SELECT
  {id}, e.id, NEW.id, {type},
  coalesce(CASE NEW.status
    WHEN 'pending' THEN NEW.created_at
    WHEN 'verified' THEN NEW.verified_at
    WHEN 'canceled' THEN NEW.canceled_at
    WHEN 'expired' THEN NEW.expires_at
  END, {now}),
  NEW.status, NEW.channel, {error_code}, {reason}, 0, {now}
FROM {schema}event_endpoints e
WHERE e.revoked_at IS NULL
  AND (e.client IS NULL OR e.client = NEW.client)
  AND (e.types = '' OR {position}(' ' || e.types || ' ', ' ' || {type} || ' ') > 0)"""
# Asked before anything else: without an endpoint a status changes nearly as fast as before.
SOME = "EXISTS (SELECT 1 FROM {schema}event_endpoints)"
DIALECTS = {
    "postgresql": {
        "schema": f"{SCHEMA}.",
        "id": "'evt_' || replace(gen_random_uuid()::text, '-', '')",
        "now": "clock_timestamp()",
        "position": "strpos",
    },
    "sqlite": {
        "schema": "",
        "id": "'evt_' || lower(hex(randomblob(16)))",
        "now": "strftime('%Y-%m-%d %H:%M:%f000', 'now')",
        "position": "instr",
    },
}


def _time(name: str, **kwargs: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), **kwargs)


def _text(name: str, length: int, **kwargs: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), **kwargs)


def upgrade() -> None:
    _create_endpoints()
    _create_events()
    for statement in _triggers():
        op.execute(statement)


def _create_endpoints() -> None:
    op.create_table(
        "event_endpoints",
        _text("id", 40, nullable=False),
        _text("url", 2048, nullable=False),
        _text("client", 64, comment="whose events; null: all"),
        _text("types", 255, nullable=False, comment="separated by spaces; none of them: all"),
        sa.Column("with_phone", sa.Boolean(), nullable=False),
        _text("secret", 255, nullable=False, comment="sealed with an OTP_SECRET"),
        _text("secret_id", 8, nullable=False, comment="the secret that sealed it"),
        _time("created_at", nullable=False),
        _time("revoked_at", comment="removed, or it wants no more"),
        sa.PrimaryKeyConstraint("id", name="pk_event_endpoints"),
        schema=SCHEMA,
    )


def _create_events() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "events",
        sa.Column("number", number, sa.Identity(), nullable=False),
        _text("id", 40, nullable=False, comment="what the endpoint knows it by"),
        _text("endpoint_id", 40, nullable=False),
        _text("verification_id", 40, nullable=False),
        _text("delivery_id", 40),
        _text("type", 32, nullable=False),
        _time("at", nullable=False),
        _text("status", 16, nullable=False),
        _text("channel", 16, nullable=False),
        _text("failure", 64),
        _text("reason", 255, comment="the provider's own words"),
        sa.Column("tries", sa.Integer(), nullable=False),
        _time("due_at", comment="null: told, or given up"),
        _text("lease", 40, comment="who has it in hand until then"),
        _time("told_at"),
        sa.PrimaryKeyConstraint("number", name="pk_events"),
        sa.ForeignKeyConstraint(
            ["verification_id"],
            [f"{SCHEMA}.verifications.id"],
            name="fk_events_verification_id",
            ondelete="CASCADE",
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "ix_events_verification_id_endpoint_id_number",
        "events",
        ["verification_id", "endpoint_id", "number"],
        schema=SCHEMA,
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index(
        "ix_events_endpoint_id_due_at",
        "events",
        ["endpoint_id", "due_at"],
        schema=SCHEMA,
        postgresql_where=due,
        sqlite_where=due,
    )


def _event() -> str:
    words = DIALECTS[op.get_context().dialect.name]
    reasons = {name: OF_MESSAGE.format(column=name, **words) for name in ("error_code", "reason")}
    return EVENT.format(type=TYPE, **reasons, **words)


def _triggers() -> list[str]:
    some = SOME.format(**DIALECTS[op.get_context().dialect.name])
    if op.get_context().dialect.name == "sqlite":
        when, does = f"ON verifications WHEN {some} AND", f"BEGIN {_event()}; END"
        return [
            f"CREATE TRIGGER verification_started AFTER INSERT {when} {STARTED} {does}",
            f"CREATE TRIGGER verification_ended AFTER UPDATE OF status {when} {ENDED} {does}",
        ]
    # Postgres parses a trigger's WHEN anew in each statement: the function is quicker.
    is_so = f"(CASE tg_op WHEN 'INSERT' THEN {STARTED} ELSE {ENDED} END)"
    body = f"if {is_so} then\nif {some} then\n{_event()};\nend if;\nend if;\nreturn null;"
    function = f"{SCHEMA}.tell_of_verification()"
    return [
        f"CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$\nbegin\n{body}\nend $$",
        f"CREATE TRIGGER verification_changed AFTER INSERT OR UPDATE OF status "
        f"ON {SCHEMA}.verifications FOR EACH ROW EXECUTE FUNCTION {function}",
    ]


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER verification_started")
        op.execute("DROP TRIGGER verification_ended")
    else:
        op.execute(f"DROP TRIGGER verification_changed ON {SCHEMA}.verifications")
        op.execute(f"DROP FUNCTION {SCHEMA}.tell_of_verification()")
    op.drop_table("events", schema=SCHEMA)
    op.drop_table("event_endpoints", schema=SCHEMA)
