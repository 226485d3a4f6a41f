"""`migrations/supabase_setup.sql`, on a Postgres with the roles that a Supabase project has."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from otp_service.storage import schema
from otp_service.storage.models.dialects import SCHEMA
from tests.storage.revisions import EACH, HEAD, INDEX, columns, is_valid
from tests.storage.supabase import CATALOGS, SCRIPT, catalogs, closed, paste, run, verifier
from tests.storage.upgrades import (
    add_rows,
    assert_kept,
    go_to,
    revision,
    rows,
    stamp,
)

pytestmark = pytest.mark.from_nothing


def test_the_script_makes_exactly_what_the_migrations_make(
    superuser: sa.Engine, owner: sa.Engine
) -> None:
    schema.upgrade(owner)
    migrated = catalogs(superuser)
    run(superuser, f"DROP SCHEMA {SCHEMA} CASCADE")
    paste(owner)
    pasted = catalogs(superuser)
    for name in CATALOGS:
        assert pasted[name] == migrated[name], name
    assert pasted["revision"] == [(HEAD,)]
    assert len(pasted["columns"]) > 40


def test_pasting_on_the_release_before_makes_the_same_and_keeps_the_rows(
    superuser: sa.Engine, owner: sa.Engine
) -> None:
    schema.upgrade(owner)
    migrated = catalogs(superuser)
    run(superuser, f"DROP SCHEMA {SCHEMA} CASCADE")
    go_to(owner, "0001")
    add_rows(owner)
    before = rows(superuser)
    paste(owner)
    assert catalogs(superuser) == migrated
    assert_kept(before, rows(superuser))
    assert revision(owner) == HEAD
    assert all(is_closed for _, is_closed, *_ in closed(superuser))


def test_pasting_on_what_the_migrations_made_closes_it_and_changes_nothing_else(
    superuser: sa.Engine, owner: sa.Engine
) -> None:
    schema.upgrade(owner)
    add_rows(owner)
    before = catalogs(superuser), rows(superuser)
    paste(owner)
    assert (catalogs(superuser), rows(superuser)) == before
    assert all(is_closed for _, is_closed, *_ in closed(superuser))


def test_pasting_again_changes_nothing_and_keeps_the_password(
    superuser: sa.Engine, owner: sa.Engine
) -> None:
    first = paste(owner)
    add_rows(owner)
    before = catalogs(superuser), rows(superuser), closed(superuser), verifier(superuser)
    second = paste(owner)
    after = catalogs(superuser), rows(superuser), closed(superuser), verifier(superuser)
    assert after == before
    assert second["role"] == first["role"] == "otp_service"
    assert "keeps its password" in second["password"]
    run(owner, SCRIPT)  # and the whole file as the one message that it is
    assert closed(superuser) == before[2]


def test_an_index_that_an_interrupted_upgrade_left_is_made_again(
    superuser: sa.Engine, owner: sa.Engine
) -> None:
    schema.upgrade(owner)
    run(
        superuser,
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{SCHEMA}.{INDEX}'::regclass",
    )
    assert is_valid(superuser, INDEX) is False
    paste(owner)
    assert is_valid(superuser, INDEX) is True


def test_a_schema_that_is_newer_is_refused_and_left_as_it_is(
    superuser: sa.Engine, owner: sa.Engine
) -> None:
    go_to(owner, "0001")
    with owner.begin() as connection:
        connection.execute(sa.update(stamp(owner)).values(version_num="9999"))
    with pytest.raises(Exception, match="revision 9999, which this file does not know"):
        paste(owner)
    owner.dispose()
    assert revision(superuser) == "9999"
    assert "timeline" not in columns(superuser)
    assert not any(is_closed for _, is_closed, *_ in closed(superuser))
    assert run(superuser, "SELECT 1 FROM pg_roles WHERE rolname = 'otp_service'") == []


def test_the_script_knows_every_revision() -> None:
    known = ", ".join(f"'{each.revision}'" for each in reversed(EACH))
    assert f"revision not in ({known})" in SCRIPT
    assert str(schema.LOCK) in SCRIPT


def test_while_an_upgrade_is_running_a_paste_is_refused_at_once(
    superuser: sa.Engine, owner: sa.Engine
) -> None:
    upgrading = superuser.execution_options(isolation_level="READ COMMITTED")
    busy = pytest.raises(Exception, match="an upgrade of this schema is running")
    with schema._turn(upgrading), busy:
        paste(owner)
    owner.dispose()
    assert not sa.inspect(superuser).has_schema(SCHEMA)
