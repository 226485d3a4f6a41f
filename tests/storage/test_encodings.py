"""A Postgres whose database was not made for UTF-8 is good enough: what is stored is ASCII."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.conftest import MakeApp
from tests.storage.helpers import wrong

PHONE = {"phone_number": "+919876543210"}


@pytest.fixture(params=["SQL_ASCII", "LATIN1"])
def app(request: pytest.FixtureRequest, postgres_url: str, make_app: MakeApp) -> Iterator[Flask]:
    name = f"of_{request.param.lower()}"
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    options = f"ENCODING '{request.param}' LOCALE 'C' TEMPLATE template0"
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(sa.text(f"CREATE DATABASE {name} {options}"))
    url = sa.make_url(postgres_url).set(database=name).render_as_string(hide_password=False)
    yield make_app(DATABASE_URL=url, FALLBACK_DATABASE_URL="off")
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


def test_codes_are_sent_checked_and_audited_there(app: Flask) -> None:
    client, commands = app.test_client(), app.test_cli_runner()
    sent = client.post("/send-otp", json=PHONE).get_json()["data"]
    check = PHONE | {"otp": wrong(sent["otp"])}
    refused = client.post("/verify-otp", json=check).get_json()
    assert refused["error"]["code"] == "invalid_otp"
    assert client.post("/verify-otp", json=PHONE | {"otp": sent["otp"]}).get_json()["success"]
    assert commands.invoke(args=["otp", "unlock", PHONE["phone_number"]]).exit_code == 0
    told = commands.invoke(args=["otp", "audit", "--phone", PHONE["phone_number"]]).output
    assert len(told.splitlines()) == 1 + 4, "a header, and an entry each"
    assert "+91••••3210" in told
