"""`make supabase-sql`: writes `migrations/supabase_setup.sql` from the migrations.

What the migrations do on Postgres, told by Alembic instead of done, goes into the template beside
the file, which has what they don't: the role, its rights, row-level security. Each statement is
made fit to be run again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from types import ModuleType

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from otp_service.storage.schema import LOCK, MIGRATIONS

FILE = MIGRATIONS / "supabase_setup.sql"
TEMPLATE = MIGRATIONS / "supabase_setup.template.sql"
_TRANSACTIONS = re.compile(r"(BEGIN|COMMIT|SET|RESET)\b")  # the file has one, and its own timeouts
_REPEATABLE = {
    r"CREATE TABLE ": "CREATE TABLE IF NOT EXISTS ",
    r"CREATE INDEX (CONCURRENTLY )?(IF NOT EXISTS )?": "CREATE INDEX IF NOT EXISTS ",
    r"(ALTER TABLE \S+ ADD COLUMN) ": r"\1 IF NOT EXISTS ",
    r"COMMENT ON ": "COMMENT ON ",
}


class _Statements(list[str]):
    """What Alembic writes to: a statement at a time."""

    def write(self, statement: str) -> None:
        self.append("\n".join(map(str.rstrip, statement.replace("\t", "  ").strip().splitlines())))

    def flush(self) -> None:
        pass


def text() -> str:
    """The file, as the migrations have it now."""
    revisions = list(ScriptDirectory(str(MIGRATIONS)).walk_revisions())[::-1]
    names = [each.revision for each in revisions]
    values = {
        "known": ", ".join(f"'{name}'" for name in names),
        "lock": str(LOCK),
        "migrations": "\n".join(_section(each.revision, each.module) for each in revisions),
        "newest": names[-1],
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], TEMPLATE.read_text())


def _section(revision: str, migration: ModuleType) -> str:
    subject = (migration.__doc__ or "").strip().splitlines()[0]
    lines = [f"-- Revision {revision} {'-' * 82}", f"-- {subject}", ""]
    repeatable = ((_repeatable(each), each) for each in _statements(migration))
    for is_so, statements in groupby(repeatable, key=lambda pair: pair[0] is not None):
        if is_so:
            lines += [str(fit) for fit, _ in statements]
        else:
            lines += _once(revision, [each for _, each in statements])
    return (
        "\n".join(lines).replace("\nCREATE TABLE", "\n\nCREATE TABLE").replace("\n\n\n", "\n\n")
        + "\n"
    )


def _statements(migration: ModuleType) -> Iterator[str]:
    written = _Statements()
    options = {"as_sql": True, "output_buffer": written}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with Operations.context(context):
        migration.upgrade()
    return (each for each in written if not _TRANSACTIONS.match(each))


def _repeatable(statement: str) -> str | None:
    """The same, but nothing where it was done before; None where that can't be said in it."""
    for pattern, replacement in _REPEATABLE.items():
        if re.match(pattern, statement):
            return re.sub(pattern, replacement, statement, count=1)
    return None


def _once(revision: str, statements: list[str]) -> Iterator[str]:
    yield "do $revision$"
    yield "begin"
    yield f"  if current_setting('otp_service.revision') < '{revision}' then"
    yield from statements
    yield "  end if;"
    yield "end $revision$;"


if __name__ == "__main__":
    FILE.write_text(text())
