"""Workers in processes of their own, several at once, and killed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
import sqlalchemy as sa

from otp_service.domain.idempotency import STILL_RUNNING
from otp_service.simulator import Simulator
from otp_service.storage.models.deliveries import DeliveryRow
from tests.faults.processes import Server, Servers
from tests.faults.waiting import until
from tests.scenarios.scene import SECRET, SMS, WHATSAPP
from tests.storage.helpers import pass_time

ASYNC = {"Prefer": "respond-async"}
COUNT = 40


def phones(count: int) -> list[str]:
    return [f"+9198765{number:05}" for number in range(count)]


@pytest.fixture
def servers(simulator: Simulator, engine: sa.Engine) -> Iterator[Servers]:
    """Each with a worker, unless it says otherwise."""
    settings = {
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "FALLBACK_DATABASE_URL": "off",
        "GUPSHUP_API_URL": simulator.gupshup_url,
        "GUPSHUP_SMS_API_URL": simulator.sms_url,
        "OTP_SECRET": bytes(range(0x5E, 0x7E)).hex(),
    }
    simulator.callback_secret = SECRET
    with Servers(**settings, **WHATSAPP, **SMS) as servers:
        yield servers


def queue(server: Server, count: int = COUNT, **body: object) -> list[str]:
    """The ids of verifications whose messages wait for a worker."""
    server.headers = ASYNC
    sent = [server.send(phone, **body) for phone in phones(count)]
    server.headers = {}
    assert {each.status for each in sent} == {202}
    return [each.id for each in sent]


def sends(simulator: Simulator) -> Counter[str]:
    return Counter(message.phone for message in simulator.messages())


def let_leases_end(engine: sa.Engine) -> None:
    held = sa.update(DeliveryRow).where(DeliveryRow.lease.is_not(None))
    with engine.begin() as connection:
        connection.execute(held.values(due_at=DeliveryRow.created_at))


def deliveries(server: Server, verification_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.get(verification_id).data["deliveries"]
    return found


@pytest.mark.parametrize("database_url", ["sqlite", "postgres"], indirect=True)
def test_several_workers_never_send_one_message_twice(
    servers: Servers, simulator: Simulator
) -> None:
    (server,) = servers.start_several(1, OTP_WORKER="off")
    queue(server)
    assert not simulator.messages()
    servers.start_several(3)
    until(lambda: len(sends(simulator)) == COUNT)
    assert set(sends(simulator).values()) == {1}


def test_what_a_killed_worker_had_in_hand_another_one_sends(
    servers: Servers, simulator: Simulator, engine: sa.Engine
) -> None:
    simulator.script(answer="stall:30", receipts=[])
    (first,) = servers.start_several(1)
    ids = queue(first, 4)
    until(lambda: len(simulator.messages()) == 4)
    first.kill()
    simulator.reset()
    second = servers.start()
    assert {deliveries(second, each)[0]["status"] for each in ids} == {"queued"}
    assert not simulator.messages()  # while the lease runs, nobody else takes them
    let_leases_end(engine)
    until(lambda: len(sends(simulator)) == 4)
    assert set(sends(simulator).values()) == {1}
    for phone, each in zip(phones(4), ids, strict=True):
        until(lambda each=each: deliveries(second, each)[0]["status"] == "submitted")  # type: ignore[misc]
        code = simulator.last_code(phone)
        assert code
        assert second.verify(code, phone).code == "ok"


def test_a_killed_server_loses_no_receipt_that_it_has_answered(
    servers: Servers, simulator: Simulator
) -> None:
    (first,) = servers.start_several(1, OTP_WORKER="off")
    simulator.callback_url = f"{first.url}/webhooks/gupshup"
    sent = first.send(phones(1)[0])
    simulator.settle()
    first.kill()
    second = servers.start()
    until(lambda: deliveries(second, sent.id)[0]["status"] == "delivered")


def test_a_killed_server_loses_no_sms_that_has_to_follow(
    servers: Servers, simulator: Simulator
) -> None:
    (first,) = servers.start_several(1, OTP_WORKER="off")
    simulator.callback_url = f"{first.url}/webhooks/gupshup"
    simulator.script(fault="failed:1002", channel="whatsapp")
    sent = first.send(phones(1)[0], channel="auto")
    simulator.settle()
    first.kill()
    second = servers.start()
    until(lambda: len(deliveries(second, sent.id)) == 2)
    until(lambda: deliveries(second, sent.id)[1]["status"] == "submitted")
    first_code, second_code = [message.code for message in simulator.messages()]
    assert first_code == second_code


def test_a_send_in_flight_in_a_killed_server_succeeds_when_it_is_repeated_with_its_key(
    servers: Servers, simulator: Simulator, engine: sa.Engine
) -> None:
    simulator.script(answer="stall:30", next=1)
    first, second = servers.start_several(2)
    first.headers = second.headers = {"Idempotency-Key": "4f9a-11"}
    with ThreadPoolExecutor(1) as pool:
        lost = pool.submit(first.send)
        until(lambda: bool(simulator.messages()))
        first.kill()
        assert isinstance(lost.exception(), requests.ConnectionError)
    assert second.send().code == "idempotency_in_progress"
    assert len(simulator.messages()) == 1
    pass_time(engine, STILL_RUNNING.total_seconds())
    assert second.send().code == "delivery_unconfirmed"
    until(lambda: second.send().code == "ok")
    first_code, second_code = [message.code for message in simulator.messages()]
    assert first_code == second_code
    second.headers = {}
    assert second.verify(first_code).code == "ok"
