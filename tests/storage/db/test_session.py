"""A transaction as a function of its session, and where a session can't have one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from otp_service.domain.errors import StorageUnavailable
from otp_service.storage.db.lookup import Lookup
from otp_service.storage.db.session import keeps_functions
from otp_service.storage.db.transaction import Transaction, given
from tests.statements import behind_a_pooler, recorded

on_postgres = pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
DOUBLE = Transaction(sa.select((given("number", sa.Integer()) * 2).label("twice")), name="double")


@pytest.fixture
def no_temporary_objects(engine: sa.Engine) -> Iterator[None]:
    """The role may make none, as where PUBLIC's right was revoked."""
    role = "CREATE ROLE poor; GRANT USAGE ON SCHEMA otp_service TO poor;"
    with engine.connect() as connection:
        name = connection.scalar(sa.text("SELECT current_database()"))
        connection.exec_driver_sql(f"{role} REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC")
    engine.dispose()
    become = "SET SESSION AUTHORIZATION poor"
    sa.event.listen(engine, "connect", lambda connection, _: connection.cursor().execute(become))
    yield
    engine.dispose()
    with sa.create_engine(engine.url, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.exec_driver_sql(
            f"GRANT TEMPORARY ON DATABASE {name} TO PUBLIC; DROP OWNED BY poor; DROP ROLE poor"
        )


@on_postgres
def test_a_session_makes_the_function_with_its_first_call(engine: sa.Engine) -> None:
    messages = recorded(engine)
    assert [DOUBLE.run(engine, number=number)[0].twice for number in (1, 2, 3)] == [2, 4, 6]
    assert [b"CREATE" in message for message in messages] == [True, False, False]
    assert keeps_functions(engine)


@on_postgres
@pytest.mark.usefixtures("no_temporary_objects")
def test_a_role_that_may_make_no_function_sends_messages(engine: sa.Engine) -> None:
    messages = recorded(engine)
    assert [DOUBLE.run(engine, number=number)[0].twice for number in (1, 2)] == [2, 4]
    assert [b"CREATE" in message for message in messages] == [True, False, False]
    assert not keeps_functions(engine)


@on_postgres
def test_a_session_that_lost_its_function_sends_messages(engine: sa.Engine) -> None:
    """As behind a pooler that passes on the number of the server's process."""
    assert DOUBLE.run(engine, number=1)[0].twice == 2
    with engine.connect() as connection:
        connection.exec_driver_sql("DISCARD ALL")
    assert DOUBLE.run(engine, number=2)[0].twice == 4
    assert not keeps_functions(engine)


@on_postgres
def test_who_takes_a_connection_himself_has_all_the_time_he_needs(engine: sa.Engine) -> None:
    """An upgrade may: it has a session that a transaction with its limit had before."""
    DOUBLE.run(engine, number=1)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SHOW statement_timeout")) == "0"
    DOUBLE.run(engine, number=1)
    limit = sa.select(sa.func.current_setting("statement_timeout").label("limit"))
    assert Transaction(limit).run(engine)[0].limit == "900ms"


@pytest.mark.parametrize("pooled", [False, True])
def test_what_is_looked_up_is_known_to_what_follows(engine: sa.Engine, *, pooled: bool) -> None:
    """Each time anew, and null where no row was found."""
    if pooled and engine.dialect.name == "postgresql":
        behind_a_pooler(engine)
    number = given("number", sa.Integer())
    found = Lookup(sa.select((number + 1).label("next")).where(number > 0))
    known = Transaction(found, sa.select(*found.columns()), name="known")
    assert [known.run(engine, number=number)[0].next for number in (1, 0, 2)] == [2, None, 3]


def test_a_failed_run_does_not_spoil_the_next(engine: sa.Engine) -> None:
    share = Transaction(
        sa.select((6 / sa.cast(given("number", sa.Integer()), sa.Integer())).label("share")),
        sa.select((given("number", sa.Integer()) * 2).label("twice")),
    )
    assert share.run(engine, number=1)[0].twice == 2
    if engine.dialect.name == "postgresql":  # SQLite divides by zero
        with pytest.raises(StorageUnavailable):
            share.run(engine, number=0)
    assert share.run(engine, number=2)[0].twice == 4
