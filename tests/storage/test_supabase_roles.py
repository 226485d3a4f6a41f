"""After the file: what the roles of Supabase's API can't do, and what the service's own can."""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from otp_service.storage.db.guarantee_check import missing
from otp_service.storage.models.base import db
from otp_service.storage.models.dialects import SCHEMA
from tests.conftest import MakeApp
from tests.storage.helpers import wrong
from tests.storage.supabase import API_ROLES, OWNER, SCRIPT, closed, paste, run, url_of, verifier
from tests.storage.upgrades import (
    add_rows,
    engine_on,
    rows,
    sqlstate,
)

pytestmark = pytest.mark.from_nothing

TABLES = [table.name for table in db.metadata.tables.values()] + ["alembic_version"]


PHONE = {"phone_number": "+919876543210"}


@contextmanager
def acting_as(engine: sa.Engine, role: str) -> Iterator[sa.Connection]:
    with engine.connect() as connection:
        connection.execute(sa.text(f"SET ROLE {role}"))
        try:
            yield connection
        finally:
            connection.execute(sa.text("RESET ROLE"))


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


def test_the_services_role_may_ask_what_the_database_gives(
    superuser: sa.Engine, owner: sa.Engine
) -> None:
    with engine_on(url_of(superuser, "otp_service", paste(owner)["password"])) as engine:
        assert missing(engine) is None
