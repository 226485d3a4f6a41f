"""The homes, as `otp check` looks at them."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from otp_service import create_app
from otp_service.storage.models.base import engines_of
from otp_service.storage.models.dialects import SCHEMA
from tests.cli.check.helpers import checked, closing_engines, line
from tests.conftest import SECRET, MakeApp


def test_a_database_without_tables_or_with_others_is_told(
    make_app: MakeApp, account: dict[str, str], tmp_path: Path
) -> None:
    app = make_app(**account)
    engine = engines_of(app)[0]
    schema = f"{SCHEMA}." if engine.dialect.name == "postgresql" else ""
    for version, mark in (("0001", "problem "), ("9999", "warning ")):
        with engine.begin() as connection:
            connection.execute(
                sa.text(f"UPDATE {schema}alembic_version SET version_num = '{version}'")
            )
        assert line(checked(app), "database").startswith(mark)
    with engine.begin() as connection:
        connection.execute(sa.text(f"DROP TABLE {schema}alembic_version"))
    assert checked(app).exit_code == 1
    fresh = create_app(
        account | {"DATABASE_URL": f"sqlite:///{tmp_path}/new.db", "OTP_SECRET": SECRET}
    )
    with closing_engines(fresh):
        assert "has no tables yet" in line(checked(fresh), "database")
        assert "otp init-db" in line(checked(fresh), "database")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_both_homes_are_looked_at(account: dict[str, str], tmp_path: Path) -> None:
    homes = {
        "DATABASE_URL": "postgresql://otp:hunter2@127.0.0.1:1/otp",
        "FALLBACK_DATABASE_URL": f"sqlite:///{tmp_path}/fallback.db",
    }
    app = create_app(account | homes | {"OTP_SECRET": SECRET}, instance=tmp_path)
    with closing_engines(app):
        done = checked(app)
    assert "can't be reached: ConnectFailed" in line(done, "database")
    assert "has no tables yet" in line(done, "fallback")
    assert "hunter2" not in done.output
