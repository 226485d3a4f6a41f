"""What applies receipts, and who guesses codes."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from otp_service.domain.verification import Person
from otp_service.storage.db.database import Database
from otp_service.storage.outbox import Messages
from tests.fakes import FakeSender
from tests.storage.conftest import MakeService
from tests.storage.sql.guesser import MANY_SENDS, Guesser


@pytest.fixture
def messages(engine: sa.Engine) -> Messages:
    return Messages(Database(engine))


@pytest.fixture
def guesser(make_service: MakeService, sender: FakeSender, person: Person) -> Guesser:
    return Guesser(make_service(limits=MANY_SENDS), sender, person)
