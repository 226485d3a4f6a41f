"""Migrations only add: what the release before needs goes with a later one."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import Script

from tests.storage.revisions import EACH

pytestmark = pytest.mark.from_nothing

CONTRACTS = re.compile(
    r"\bDROP\b|\bRENAME\b|\bSET NOT NULL\b|\bALTER COLUMN\b.*\bTYPE\b|\bALTER TYPE\b"
    r"|\bADD CONSTRAINT\b|\bUNIQUE INDEX\b"
    r"|\bADD COLUMN\b(?!.*\bDEFAULT\b).*\bNOT NULL\b",
    re.IGNORECASE,
)


def upgrade_sql(script: Script) -> str:
    out = io.StringIO()
    offline = {"as_sql": True, "output_buffer": out}
    context = MigrationContext.configure(dialect_name="postgresql", opts=offline)
    with Operations.context(context):
        script.module.upgrade()
    return out.getvalue()


@pytest.mark.parametrize("script", EACH, ids=lambda script: Path(script.path).stem)
def test_no_migration_takes_away_what_the_release_before_needs(script: Script) -> None:
    sql = upgrade_sql(script)
    assert sql
    if not Path(script.path).stem.endswith("_contract"):
        assert CONTRACTS.findall(sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "ALTER TABLE t DROP COLUMN c",
        "DROP INDEX CONCURRENTLY i",
        "ALTER TABLE t RENAME c TO d",
        "ALTER TABLE t ALTER COLUMN c SET NOT NULL",
        "ALTER TABLE t ALTER COLUMN c TYPE VARCHAR(9)",
        "ALTER TABLE t ADD COLUMN c INTEGER NOT NULL",
        "ALTER TABLE t ADD CONSTRAINT k CHECK (c > 0)",
        "CREATE UNIQUE INDEX i ON t (c)",
    ],
)
def test_what_takes_away_is_recognised(sql: str) -> None:
    assert CONTRACTS.search(sql)


def test_what_only_adds_is_not_taken_for_more() -> None:
    assert not CONTRACTS.search("ALTER TABLE t ADD COLUMN c INTEGER DEFAULT 0 NOT NULL")
    assert not CONTRACTS.search("ALTER TABLE t ADD COLUMN type VARCHAR(8)")
