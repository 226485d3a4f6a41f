"""From each earlier schema, with what its release had written, to the newest: all of it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from otp_service.storage import schema, signing_keys
from otp_service.storage.db.database import Database
from otp_service.storage.outbox import Messages
from tests.conftest import MakeApp
from tests.faults.service import Answer, Caller
from tests.storage.earlier import (
    CODES,
    CROWDED,
    DISABLED,
    DUE,
    GUESSED,
    KEY,
    LIVE,
    NAMED,
    NEXT,
    REVOKED,
    USED,
    Earlier,
    code_of,
    id_of,
)
from tests.storage.helpers import wrong
from tests.storage.upgrades import assert_kept, engine_on, go_to, own_schema, revision, rows, stamp

pytestmark = [pytest.mark.from_nothing, pytest.mark.usefixtures("patient")]


class Shop(Caller):
    """With one of the keys that the earlier release made."""

    def call(
        self, method: str, path: str, body: dict[str, object] | None = None, *, key: str = KEY
    ) -> Answer:
        response = self.http.open(path, method=method, json=body, headers={"X-API-Key": key})
        return Answer.of(response.status_code, response.get_json(), response.headers.items())


@pytest.fixture(params=schema.revisions())
def earlier(request: pytest.FixtureRequest, database_url: str) -> Iterator[Earlier]:
    with engine_on(database_url) as engine:
        go_to(engine, request.param)
        earlier = Earlier(engine, request.param)
        earlier.write()
        yield earlier


def test_what_each_release_wrote_is_kept_and_goes_on(
    earlier: Earlier, make_app: MakeApp, database_url: str
) -> None:
    engine = earlier.engine
    before = rows(engine)
    app = make_app(DATABASE_URL=database_url, API_KEYS="required", FALLBACK_DATABASE_URL="off")
    assert revision(engine) == schema.revisions()[-1]
    assert_kept(before, rows(engine))
    for _ in range(2):
        assert "up to date" in run(app, "init-db")
    shop = Shop(app)
    codes_that_are_out_are_accepted_once(shop)
    what_ended_stays_so_and_guesses_and_sends_count(shop)
    assert shop.call("GET", f"/verifications/{id_of(LIVE)}", key=REVOKED).status == 401
    if earlier.since("0003"):
        due = Messages(Database(engine)).take(10)
        assert [message.phone for message in due] == [DUE.phone]
        assert due[0].is_current
    if earlier.since("0005"):
        limits_the_trail_and_signing_keys_go_on(earlier, shop)
    if earlier.since("0011"):
        assert shop.call("GET", f"/verifications/{id_of(LIVE)}", key=NEXT).status == 200


def run(app: Flask, *command: str) -> str:
    done = app.test_cli_runner().invoke(args=["otp", *command])
    assert done.exit_code == 0, done.output
    return done.output


def codes_that_are_out_are_accepted_once(shop: Shop) -> None:
    for person, more in ((LIVE, {}), (NAMED, {"verification_id": id_of(NAMED)})):
        answers = [shop.verify(code_of(person), person.phone, **more).code for _ in range(2)]
        assert answers == ["ok", "otp_not_found"]
        assert shop.get(id_of(person)).data["status"] == "verified"


def what_ended_stays_so_and_guesses_and_sends_count(shop: Shop) -> None:
    assert shop.verify(code_of(USED), USED.phone).code == "otp_not_found"
    assert shop.get(id_of(USED)).data["status"] == "verified"
    guess = wrong(code_of(GUESSED))
    answers = [shop.verify(guess, GUESSED.phone).code for _ in range(2)]
    assert answers == ["invalid_otp", "too_many_attempts"]
    assert shop.send(CROWDED.phone).code == "send_limit_exceeded"
    assert shop.send("+14155552671").code == "ok"


def limits_the_trail_and_signing_keys_go_on(earlier: Earlier, shop: Shop) -> None:
    assert shop.verify(code_of(DISABLED), DISABLED.phone).code == "phone_locked"
    entries = run(shop.app, "audit", "--phone", LIVE.phone, "--json").splitlines()
    actions = [json.loads(entry)["action"] for entry in entries]
    assert actions == ["verification.started", "verification.checked"]
    (key,) = signing_keys.everything(earlier.engine, CODES.secrets)
    assert (key.kid, key.private is None) == (earlier.sealed.kid, False)


Shape = dict[str, dict[str, Any]]


def _shape(engine: sa.Engine) -> Shape:
    """Of each table: its columns by name, and what its rows must keep to."""
    own, found = own_schema(engine), sa.inspect(engine)
    return {
        table: {
            "columns": {each["name"]: each for each in found.get_columns(table, schema=own)},
            "unique": _unique(found, table, own),
            "checks": {each["name"] for each in found.get_check_constraints(table, schema=own)},
            "keys": {each["name"] for each in found.get_foreign_keys(table, schema=own)},
        }
        for table in found.get_table_names(schema=own)
    }


def _unique(found: sa.Inspector, table: str, own: str | None) -> set[tuple[str | None, ...]]:
    indexes = found.get_indexes(table, schema=own)
    constraints = found.get_unique_constraints(table, schema=own)
    return {
        tuple(found.get_pk_constraint(table, schema=own)["constrained_columns"]),
        *(tuple(each["column_names"]) for each in indexes if each["unique"]),
        *(tuple(each["column_names"]) for each in constraints),
    }


def _takes_what_it_took(table: str, was: dict[str, Any], now: dict[str, Any]) -> None:
    """Every row that could be written can be, and every column that was read is there."""
    for name, column in was["columns"].items():
        after = now["columns"][name]
        assert str(after["type"]) == str(column["type"]), f"{table}.{name} has another type"
        assert after["nullable"] or not column["nullable"], f"{table}.{name} must have a value"
        assert after["default"] == column["default"], f"{table}.{name} has another default"
    for name in now["columns"].keys() - was["columns"].keys():
        new = now["columns"][name]
        assert new["nullable"] or new["default"], f"{table}.{name} is new and must have a value"
    for kind in ("unique", "checks", "keys"):
        assert now[kind] <= was[kind], f"{table} refuses more than before: {kind}"


def test_each_step_only_adds(database_url: str) -> None:
    """What the release before reads and writes is there: it may be started again on this schema."""
    with engine_on(database_url) as engine:
        first, *later = schema.revisions()
        go_to(engine, first)
        before = _shape(engine)
        for each in later:
            go_to(engine, each)
            after = _shape(engine)
            for table, was in before.items():
                _takes_what_it_took(f"{each}: {table}", was, after[table])
            before = after


def test_a_server_of_a_release_that_was_rolled_back_says_so_and_goes_on(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with engine_on(database_url) as engine:
        schema.upgrade(engine)
        with engine.begin() as connection:
            connection.execute(sa.update(stamp(engine)).values(version_num="9999"))
        schema._upgrade_late(engine, then=lambda: None)  # as it does beside its requests
        assert revision(engine) == "9999"
    assert [(each.levelname, each.message) for each in caplog.records] == [
        ("WARNING", "the schema is newer than this release: left as it is")
    ]
