"""What limits count beside messages and attempts; the audit trail; keys that sign proofs.

Expand only: the release before works with this schema, too.

Revision: 0005, after 0004
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SCHEMA = "otp_service"


def _time(name: str, **kwargs: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), **kwargs)


def _text(name: str, length: int, **kwargs: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), **kwargs)


def _added() -> dict[str, list[sa.Column[Any]]]:
    return {
        "verifications": [_text("country", 2, comment="of the phone (ISO 3166)")],
        "deliveries": [
            _text("address", 64, comment="keyed hash of the end user's"),
            _text("prefix", 16, comment="the phone less its last four digits"),
        ],
        "api_keys": [_time("last_used_at", comment="to the minute")],
    }


def _schema() -> str | None:
    """ALTER TABLE does not heed the connection's schema_translate_map."""
    return SCHEMA if op.get_context().dialect.name == "postgresql" else None


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column, schema=_schema())
    op.create_table(
        "phones",
        _text("phone", 16, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False, comment="wrong guesses in a row"),
        _time("disabled_at", comment="when there were too many in a row"),
        _time("unlocked_at", comment="limits don't count what was before"),
        _time("updated_at", nullable=False),
        sa.PrimaryKeyConstraint("phone", name="pk_phones"),
        schema=SCHEMA,
    )
    op.create_index("ix_phones_updated_at", "phones", ["updated_at"], schema=SCHEMA)
    op.create_table(
        "client_requests",
        _text("client", 64, nullable=False),
        sa.Column("used", sa.Integer(), nullable=False, comment="since then"),
        _time("began_at", nullable=False),
        sa.PrimaryKeyConstraint("client", name="pk_client_requests"),
        schema=SCHEMA,
    )
    op.create_table(
        "signing_keys",
        _text("kid", 64, nullable=False),
        _text("public_key", 255, nullable=False, comment="raw, base64url"),
        _text("private_key", 1024, nullable=False, comment="encrypted with an OTP_SECRET"),
        _text("secret_id", 8, nullable=False, comment="the secret that encrypted it"),
        _time("created_at", nullable=False),
        _time("signs_from", nullable=False, comment="published since created_at"),
        _time("revoked_at"),
        sa.PrimaryKeyConstraint("kid", name="pk_signing_keys"),
        schema=SCHEMA,
    )
    _create_audit()


def _create_audit() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "audit",
        sa.Column("id", number, sa.Identity(), nullable=False),
        _time("at", nullable=False),
        _text("actor", 64, nullable=False, comment="a client, or an operator's account"),
        _text("action", 32, nullable=False),
        _text("verification_id", 40),
        _text("phone", 16, comment="masked"),
        _text("phone_digest", 64, comment="keyed"),
        _text("detail", 255),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        schema=SCHEMA,
    )
    for column in ("verification_id", "phone_digest"):
        op.create_index(
            f"ix_audit_{column}",
            "audit",
            [column],
            schema=SCHEMA,
            postgresql_where=sa.text(f"{column} IS NOT NULL"),
            sqlite_where=sa.text(f"{column} IS NOT NULL"),
        )
    for statement in _append_only():
        op.execute(statement)


def _append_only() -> list[str]:
    """Nothing in the audit trail changes, and nothing is deleted within 90 days."""
    refusal = "the audit trail is append-only"
    if op.get_context().dialect.name == "sqlite":
        refuse = f"BEGIN SELECT RAISE(ABORT, '{refusal}'); END"
        recent = "OLD.at > strftime('%Y-%m-%d %H:%M:%f', 'now', '-90 days')"
        return [
            f"CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit {refuse}",
            f"CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit WHEN {recent} {refuse}",
        ]
    function = f"{SCHEMA}.refuse_audit_change()"
    return [
        f"""CREATE FUNCTION {function} RETURNS trigger LANGUAGE plpgsql AS $$
begin
  if tg_op = 'DELETE' then
    if old.at < now() - interval '90 days' then
      return old;
    end if;
  end if;
  raise exception '{refusal}';
end $$""",
        f"CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON {SCHEMA}.audit "
        f"FOR EACH ROW EXECUTE FUNCTION {function}",
        f"CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {SCHEMA}.audit "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {function}",
    ]


def downgrade() -> None:
    for table in ("audit", "signing_keys", "client_requests", "phones"):
        op.drop_table(table, schema=SCHEMA)
    if op.get_context().dialect.name == "postgresql":
        op.execute(f"DROP FUNCTION {SCHEMA}.refuse_audit_change()")
    for table, columns in _added().items():
        for column in columns:
            op.drop_column(table, column.name, schema=_schema())
