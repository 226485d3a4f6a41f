"""The service on a real store of either kind, with a fake sender."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa

from otp_service.domain.codes import Codes, Secret
from otp_service.domain.dispatch import Dispatch
from otp_service.domain.limits import Limits, Policy
from otp_service.domain.sending import Sending
from otp_service.domain.service import OtpService
from otp_service.domain.verification import Channel, Person
from otp_service.storage.db.database import Database
from otp_service.storage.homes import Homes
from otp_service.storage.outbox import Messages
from otp_service.storage.verifications import SqlStore
from tests.fakes import FakeSender

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
        store = Homes(_store(database, len(secrets), limits))
        chosen = replace(POLICY, **policy)  # type: ignore[arg-type]
        senders = {Channel.WHATSAPP: [sender]}
        dispatch = Dispatch(Messages(database), Codes(secrets, 6), senders, sender, chosen)
        return OtpService(store, Sending(dispatch))

    return make


def _store(database: Database, secrets_count: int, limits: Limits) -> SqlStore:
    """What a store is made of takes a while, and is the same for each database of a kind."""
    store = copy.copy(_made(database.engine.dialect.name, secrets_count, limits))
    store.database = database
    return store


@functools.cache
def _made(_dialect: str, secrets_count: int, limits: Limits) -> SqlStore:
    nowhere = Database(sa.create_engine("sqlite://"))
    return SqlStore(nowhere, secrets_count=secrets_count, limits=limits)


@pytest.fixture
def service(make_service: MakeService) -> OtpService:
    return make_service()
