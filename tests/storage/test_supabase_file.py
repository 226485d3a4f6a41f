"""`migrations/supabase_setup.sql` is what `make supabase-sql` writes."""

from __future__ import annotations

from scripts import supabase_sql


def test_the_file_is_what_the_migrations_have_now() -> None:
    """If it is not: `make supabase-sql`, and commit the file with the migration."""
    assert supabase_sql.FILE.read_text() == supabase_sql.text()


def test_a_statement_that_can_not_be_repeated_is_run_for_older_schemas_only() -> None:
    text = supabase_sql.text()
    for name in ("CREATE FUNCTION", "CREATE TRIGGER", "DROP CONSTRAINT"):
        before = text[: text.index(name)]
        assert before.count("do $revision$") == before.count("end $revision$") + 1
