"""What applies receipts, and who guesses codes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from otp_service.domain.verification import Person
from otp_service.storage.db.database import Database
from otp_service.storage.db.session import keeps_functions
from otp_service.storage.outbox import Messages
from tests.fakes import FakeSender
from tests.statements import behind_a_pooler
from tests.storage.conftest import MakeService
from tests.storage.sql.guesser import MANY_SENDS, Guesser


@pytest.fixture(params=["sqlite", "postgres", "postgres behind a pooler"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Of each form that statements have."""
    kind = request.param.partition(" ")[0]
    return str(request.getfixturevalue(f"{kind}_url"))


@pytest.fixture
def engine(engine: sa.Engine, request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    form = request.node.callspec.params.get("database_url", "")
    if form.endswith("pooler"):
        behind_a_pooler(engine)
    yield engine
    assert form != "postgres" or keeps_functions(engine), "a function could not be called"


@pytest.fixture
def messages(engine: sa.Engine) -> Messages:
    return Messages(Database(engine))


@pytest.fixture
def guesser(make_service: MakeService, sender: FakeSender, person: Person) -> Guesser:
    return Guesser(make_service(limits=MANY_SENDS), sender, person)
