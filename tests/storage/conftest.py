"""The service on a real store of either kind, with a fake sender."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import sqlalchemy as sa

from otp_service.domain.codes import Codes, Secret
from otp_service.domain.dispatch import Dispatch
from otp_service.domain.limits import Limits
from otp_service.domain.policy import Policy
from otp_service.domain.sending import Sending
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Channel, Person
from otp_service.storage.db.database import Database
from otp_service.storage.models.dialects import SCHEMA
from otp_service.storage.outbox import Messages
from otp_service.storage.verifications import Operations, SqlStore
from tests.fakes import FakeSender
from tests.storage.supabase import API_ROLES, BEFORE, OWNER, run, url_of
from tests.storage.upgrades import engine_on

POLICY = Policy(180, 5, grace=0, expose_code=True, test_numbers=frozenset({"+1234567890"}))
MakeService = Callable[..., OtpService]


@pytest.fixture
def person() -> Person:
    return Person("public", "+919876543210", "login")


@pytest.fixture
def sender() -> FakeSender:
    return FakeSender()


@pytest.fixture
def make_service(engine: sa.Engine, sender: FakeSender) -> MakeService:
    def make(
        *secret_keys: bytes,
        limits: Limits = Limits(),  # noqa: B008 (it is frozen)
        **policy: object,
    ) -> OtpService:
        secrets = [Secret(key) for key in secret_keys or (b"k" * 32,)]
        database = Database(engine)
        store = SqlStore(database, _operations(engine.dialect.name, limits, len(secrets)))
        chosen = replace(POLICY, **policy)  # type: ignore[arg-type]
        senders, codes = {Channel.WHATSAPP: [sender]}, Codes(secrets, 6)
        messages = Messages(database)
        dispatch = Dispatch(messages, codes, senders, sender, chosen)
        return OtpService(store, Sending(dispatch, messages, codes, chosen), codes, chosen)

    return make


@functools.cache
def _operations(_dialect: str, limits: Limits, secrets_count: int) -> Operations:
    """What takes a while to compile, and is the same for each database of a kind."""
    return Operations.under(limits, secrets_count)


@pytest.fixture
def service(make_service: MakeService) -> OtpService:
    return make_service()


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
    with engine_on(url_of(superuser)) as engine:
        yield engine
