"""A Postgres with the roles that a Supabase project has, and the file pasted into it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from otp_service.storage import schema

SCRIPT = (schema.MIGRATIONS / "supabase_setup.sql").read_text()


API_ROLES = ("anon", "authenticated", "service_role")


OWNER = "otp_test_owner"  # as Supabase's postgres is: no superuser
PASSWORD = "of-the-owner"  # where Postgres asks for one


BEFORE = f"""
    CREATE ROLE {OWNER} LOGIN PASSWORD '{PASSWORD}' CREATEROLE CREATEDB BYPASSRLS;
    CREATE ROLE anon NOLOGIN NOINHERIT;
    CREATE ROLE authenticated NOLOGIN NOINHERIT;
    CREATE ROLE service_role NOLOGIN NOINHERIT BYPASSRLS;
    DO $$ BEGIN EXECUTE format('GRANT CREATE ON DATABASE %I TO {OWNER}', current_database()); END $$
"""


def run(engine: sa.Engine, sql: str) -> Any:
    """As one message, such as Supabase's editor sends; the last statement's rows."""
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else None


def url_of(engine: sa.Engine, role: str = OWNER, password: str = PASSWORD) -> str:
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


def verifier(engine: sa.Engine) -> str:
    """What Postgres keeps of the service's password."""
    query = "SELECT rolpassword FROM pg_authid WHERE rolname = 'otp_service'"
    return str(run(engine, query)[0][0])
