"""`migrations/supabase_setup.sql`, on a Postgres with the roles that a Supabase project has."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from otp_service.storage import schema
from otp_service.storage.models.base import db
from otp_service.storage.models.dialects import SCHEMA
from tests.conftest import MakeApp
from tests.storage.helpers import wrong
from tests.storage.test_schema import EACH, HEAD, INDEX, columns, is_valid
from tests.storage.upgrades import (
    add_rows,
    assert_kept,
    engine_on,
    go_to,
    revision,
    rows,
    sqlstate,
    stamp,
)

pytestmark = pytest.mark.from_nothing
SCRIPT = (schema.MIGRATIONS / "supabase_setup.sql").read_text()
TABLES = [table.name for table in db.metadata.tables.values()] + ["alembic_version"]
API_ROLES = ("anon", "authenticated", "service_role")
OWNER = "otp_test_owner"  # as Supabase's postgres is: no superuser
BEFORE = f"""
    CREATE ROLE {OWNER} LOGIN CREATEROLE CREATEDB BYPASSRLS;
    CREATE ROLE anon NOLOGIN NOINHERIT;
    CREATE ROLE authenticated NOLOGIN NOINHERIT;
    CREATE ROLE service_role NOLOGIN NOINHERIT BYPASSRLS;
    DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {OWNER}', current_database()); END $$
"""
PHONE = {"phone_number": "+919876543210"}


def run(engine: sa.Engine, sql: str) -> Any:
    """As one message, such as Supabase's editor sends; the last statement's rows."""
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


@pytest.fixture
def superuser(postgres_url: str) -> Iterator[sa.Engine]:
    """In a database that has Supabase's roles and nothing else."""
    with engine_on(postgres_url) as engine:
        run(engine, BEFORE)
        yield engine
        run(engine, f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        for role in (*API_ROLES, "otp_service", OWNER):
            if run(engine, f"SELECT 1 FROM pg_roles WHERE rolname = '{role}'"):
                run(engine, f"DROP OWNED BY {role}; DROP ROLE {role}")


@pytest.fixture
def owner(superuser: sa.Engine) -> Iterator[sa.Engine]:
    """Who pastes."""
    with engine_on(url_of(superuser, OWNER)) as engine:
        yield engine


def url_of(engine: sa.Engine, role: str, password: str | None = None) -> str:
    url = engine.url.set(username=role, password=password)
    return url.render_as_string(hide_password=False)


def paste(engine: sa.Engine) -> dict[str, str]:
    """What the editor shows at the end: the last result that has rows."""
    script, end = SCRIPT.rsplit("commit;", 1)
    assert not end.strip()
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(script)
        names = [column[0] for column in cursor.description]
        (row,) = cursor.fetchall()
        cursor.execute("commit")
        return dict(zip(names, row, strict=True))


@contextmanager
def acting_as(engine: sa.Engine, role: str) -> Iterator[sa.Connection]:
    with engine.connect() as connection:
        connection.execute(sa.text(f"SET ROLE {role}"))
        try:
            yield connection
        finally:
            connection.execute(sa.text("RESET ROLE"))


CATALOGS = {
    "columns": """
        SELECT relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull,
               pg_get_expr(adbin, adrelid), attidentity, attgenerated, attcollation, attstorage,
               col_description(attrelid, attnum)
        FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
             LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE relnamespace = 'otp_service'::regnamespace AND relkind = 'r' AND attnum > 0
        ORDER BY 1, 2
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, contype, convalidated, condeferrable,
               pg_get_constraintdef(oid), obj_description(oid, 'pg_constraint')
        FROM pg_constraint WHERE connamespace = 'otp_service'::regnamespace ORDER BY 1, 2
    """,
    "indexes": """
        SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisunique, indisvalid,
               obj_description(indexrelid, 'pg_class')
        FROM pg_index JOIN pg_class c ON c.oid = indexrelid
        WHERE relnamespace = 'otp_service'::regnamespace ORDER BY 1
    """,
    "relations": """
        SELECT relname, relkind, relpersistence, relreplident, obj_description(oid, 'pg_class')
        FROM pg_class WHERE relnamespace = 'otp_service'::regnamespace ORDER BY 1
    """,
    "functions": """
        SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'otp_service'::regnamespace
    """,
    "triggers": """
        SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
        WHERE relnamespace = 'otp_service'::regnamespace AND NOT tgisinternal ORDER BY 1
    """,
    "revision": "SELECT version_num FROM otp_service.alembic_version",
}


def catalogs(engine: sa.Engine) -> dict[str, Any]:
    return {name: run(engine, query) for name, query in CATALOGS.items()}


def closed(engine: sa.Engine) -> Any:
    """Rights, row-level security and policies, table by table."""
    return run(
        engine,
        """SELECT relname, relrowsecurity, relacl::text, polname, polcmd, polroles::regrole[]::text
           FROM pg_class c LEFT JOIN pg_policy ON polrelid = c.oid
           WHERE relnamespace = 'otp_service'::regnamespace AND relkind = 'r' ORDER BY 1""",
    )


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


GRANTED = f"""
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT ALL ON TABLES TO {", ".join(API_ROLES)}, public;
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT ALL ON SCHEMAS TO {", ".join(API_ROLES)}, public
"""
STATEMENTS = {
    "select": "SELECT count(*) FROM {table}",
    "insert": "INSERT INTO {table} SELECT * FROM {table}",
    "insert by default": "INSERT INTO {table} DEFAULT VALUES",
    "update": "UPDATE {table} SET {column} = {column}",
    "delete": "DELETE FROM {table}",
    "truncate": "TRUNCATE {table} CASCADE",
}
FIRST_COLUMN = {table.name: table.c[0].name for table in db.metadata.tables.values()}
FIRST_COLUMN["alembic_version"] = "version_num"


def statement(kind: str, table: str) -> sa.TextClause:
    name = f"{SCHEMA}.{table}"
    return sa.text(STATEMENTS[kind].format(table=name, column=FIRST_COLUMN[table]))


@pytest.mark.parametrize("granted", ["", GRANTED], ids=["plainly", "granted by default"])
@pytest.mark.parametrize("usage", [False, True], ids=["", "with the schema opened"])
def test_the_roles_of_the_public_api_can_do_nothing(
    superuser: sa.Engine, owner: sa.Engine, granted: str, usage: bool
) -> None:
    run(superuser, granted or "SELECT")
    paste(owner)
    add_rows(owner)
    for role in API_ROLES:
        assert not run(superuser, f"SELECT has_schema_privilege('{role}', '{SCHEMA}', 'USAGE')")[0][
            0
        ]
        if usage:  # so that it is the tables' own rights that refuse
            run(superuser, f"GRANT USAGE ON SCHEMA {SCHEMA} TO {role}")
        with acting_as(superuser, role) as connection:
            for kind in STATEMENTS:
                for table in TABLES:
                    with pytest.raises(sa.exc.ProgrammingError) as refused:
                        connection.execute(statement(kind, table))
                    assert sqlstate(refused.value) == "42501", (role, kind, table)


@pytest.mark.parametrize("role", ["anon", "authenticated"])
def test_where_somebody_grants_them_rights_they_still_see_no_row_and_change_none(
    superuser: sa.Engine, owner: sa.Engine, role: str
) -> None:
    paste(owner)
    add_rows(owner)
    before = rows(superuser)
    run(superuser, f"GRANT USAGE ON SCHEMA {SCHEMA} TO {role}")
    run(superuser, f"GRANT ALL ON ALL TABLES IN SCHEMA {SCHEMA} TO {role}")
    with acting_as(superuser, role) as connection:
        for table in TABLES:
            assert connection.scalar(statement("select", table)) == 0
            assert connection.execute(statement("update", table)).rowcount == 0
            assert connection.execute(statement("delete", table)).rowcount == 0
        for sql in (
            "INSERT INTO otp_service.alembic_version VALUES ('1')",
            "INSERT INTO otp_service.api_keys VALUES ('x', 'x', 'admin', now())",
        ):
            with pytest.raises(sa.exc.ProgrammingError) as refused:
                connection.execute(sa.text(sql))
            assert sqlstate(refused.value) == "42501"
    assert rows(superuser) == before


def test_pasting_again_takes_such_rights_away(superuser: sa.Engine, owner: sa.Engine) -> None:
    paste(owner)
    before = closed(superuser)
    run(owner, f"GRANT USAGE ON SCHEMA {SCHEMA} TO anon; GRANT SELECT ON {SCHEMA}.codes TO anon")
    assert closed(superuser) != before
    paste(owner)
    assert closed(superuser) == before
    with acting_as(superuser, "anon") as connection, pytest.raises(sa.exc.ProgrammingError):
        connection.execute(sa.text(f"SELECT FROM {SCHEMA}.codes"))


def verifier(engine: sa.Engine) -> str:
    """What Postgres keeps of the service's password."""
    query = "SELECT rolpassword FROM pg_authid WHERE rolname = 'otp_service'"
    return str(run(engine, query)[0][0])


def test_the_password_that_is_shown_is_the_roles_own(
    superuser: sa.Engine, owner: sa.Engine
) -> None:
    password = paste(owner)["password"]
    assert len(password) == 64
    mechanism, iterations_and_salt, keys = verifier(superuser).split("$")
    iterations, salt = iterations_and_salt.split(":")
    stored_key = keys.split(":")[0]
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), b64decode(salt), int(iterations))
    client_key = hmac.digest(salted, b"Client Key", "sha256")  # RFC 5802
    assert mechanism == "SCRAM-SHA-256"
    assert b64encode(hashlib.sha256(client_key).digest()).decode() == stored_key


def test_the_password_ends_with_the_transaction(superuser: sa.Engine, owner: sa.Engine) -> None:
    password = paste(owner)["password"]
    with owner.connect() as connection:  # the same session: the pool gives the last one first
        kept = connection.scalar(
            sa.text("SELECT current_setting('otp_service.new_password', true)")
        )
    assert not kept
    assert password not in SCRIPT


def test_the_services_role_has_limits_and_may_change_rows_only(
    superuser: sa.Engine, owner: sa.Engine
) -> None:
    shown = paste(owner)
    with engine_on(url_of(superuser, "otp_service", shown["password"])) as engine:
        settings = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        assert [run(engine, f"SHOW {name}")[0][0] for name in settings] == ["2s", "1s", "10s"]
        for sql in (
            "UPDATE otp_service.alembic_version SET version_num = '0001'",
            "TRUNCATE otp_service.codes",
            "DROP TABLE otp_service.codes",
            "ALTER TABLE otp_service.codes DISABLE ROW LEVEL SECURITY",
            "CREATE TABLE otp_service.more ()",
            "CREATE ROLE another",
        ):
            with pytest.raises(Exception) as refused:
                run(engine, sql)
            assert getattr(refused.value, "pgcode", None) == "42501", sql


def test_the_service_does_all_its_work_as_its_own_role(
    superuser: sa.Engine, owner: sa.Engine, make_app: MakeApp
) -> None:
    url = url_of(superuser, "otp_service", paste(owner)["password"])
    app = make_app(DATABASE_URL=url, FALLBACK_DATABASE_URL="off")
    command, client = app.test_cli_runner().invoke, app.test_client()
    assert command(args=["otp", "init-db"]).exit_code == 0

    def post(path: str, body: dict[str, str]) -> Any:
        return client.post(path, json=body).get_json()

    sent = post("/send-otp", PHONE)["data"]
    guess = wrong(sent["otp"])
    assert post("/verify-otp", PHONE | {"otp": guess})["error"]["code"] == "invalid_otp"
    resent = post("/resend-otp", PHONE)["data"]
    assert post("/verify-otp", PHONE | {"otp": resent["otp"]})["success"] is True
    assert client.get(f"/verifications/{resent['verification_id']}").status_code == 200
    other = post("/send-otp", {"phone_number": "+14155552671"})["data"]
    assert client.delete(f"/verifications/{other['verification_id']}").status_code == 200
    assert client.get("/ready").status_code == 200

    for arguments in ("keys create shop", "keys list", "keys revoke shop", "cleanup"):
        assert command(args=["otp", *arguments.split()]).exit_code == 0, arguments
    erased = command(args=["otp", "erase", "--yes", PHONE["phone_number"]])
    assert erased.output.startswith("1 verification of")
    owners = run(superuser, "SELECT DISTINCT usename FROM pg_stat_activity WHERE usename ~ '^otp'")
    assert ("otp_service",) in owners
