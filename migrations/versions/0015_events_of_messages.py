"""Events to callers: what happens to messages.

Of verifications and of codes that callers made. One that a receipt takes further than its call
did tells of where it is, not of what it must have been before.

Expand only: the release before works with this schema, too.

Revision: 0015, after 0014
"""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"
# Whose answer was lost may be told of as sent, which it can't be without having been taken.
IS_SO = (
    "NEW.status <> OLD.status AND (NEW.status IN ('submitted', 'delivered', 'read', 'failed')"
    " OR (NEW.status = 'sent' AND OLD.status = 'queued'))"
)
TYPE = "'message.' || CASE NEW.status WHEN 'sent' THEN 'submitted' ELSE NEW.status END"
CLIENT = "(SELECT v.client FROM {schema}verifications v WHERE v.id = NEW.verification_id)"
EVENT = """INSERT INTO {schema}events (
  id, endpoint_id, verification_id, delivery_id, type, at, status, channel, failure, reason,
  tries, due_at
)
SELECT
  {id}, e.id, NEW.verification_id, NEW.id, {type},
  coalesce(CASE NEW.status
    WHEN 'delivered' THEN NEW.delivered_at
    WHEN 'read' THEN NEW.read_at
    WHEN 'failed' THEN NEW.failed_at
    ELSE NEW.submitted_at
  END, {now}),
  NEW.status, NEW.channel, CASE NEW.status WHEN 'failed' THEN NEW.error_code END,
  CASE NEW.status WHEN 'failed' THEN NEW.reason END, 0, {now}
FROM {schema}event_endpoints e
WHERE e.revoked_at IS NULL
  AND (e.client IS NULL OR e.client = {client})
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
FUNCTION = f"{SCHEMA}.tell_of_message()"


def _event() -> str:
    words = DIALECTS[op.get_context().dialect.name]
    return EVENT.format(type=TYPE, client=CLIENT.format(**words), **words)


def upgrade() -> None:
    some = SOME.format(**DIALECTS[op.get_context().dialect.name])
    trigger = "CREATE TRIGGER message_changed AFTER UPDATE OF status ON"
    if op.get_context().dialect.name == "sqlite":
        op.execute(f"{trigger} deliveries WHEN {some} AND {IS_SO} BEGIN {_event()}; END")
        return
    # Postgres parses a trigger's WHEN anew in each statement: the function is quicker.
    body = f"if {IS_SO} then\nif {some} then\n{_event()};\nend if;\nend if;\nreturn null;"
    op.execute(
        f"CREATE FUNCTION {FUNCTION} RETURNS trigger LANGUAGE plpgsql AS $$\nbegin\n{body}\nend $$"
    )
    op.execute(f"{trigger} {SCHEMA}.deliveries FOR EACH ROW EXECUTE FUNCTION {FUNCTION}")


def downgrade() -> None:
    if op.get_context().dialect.name == "sqlite":
        op.execute("DROP TRIGGER message_changed")
        return
    op.execute(f"DROP TRIGGER message_changed ON {SCHEMA}.deliveries")
    op.execute(f"DROP FUNCTION {FUNCTION}")
