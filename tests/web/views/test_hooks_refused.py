"""Hooks where a message can't be stored, or should not: nobody waits, and each is told why."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from otp_service import create_app
from otp_service.storage.models.base import engines_of
from tests import databases
from tests.conftest import SECRET, MakeApp
from tests.web.hooks.callers import ALL, LOGTO, SETTINGS, SUPABASE, Caller, with_value
from tests.web.views.hook_apps import Hooked

REAL = {
    "GUPSHUP_API_KEY": "k" * 20,
    "GUPSHUP_SOURCE": "917834811114",
    "GUPSHUP_TEMPLATE_ID": "5a1e0000-0000-4000-8000-000000000003",
    "GUPSHUP_SRC_NAME": "DemoApp",
}
every_system = pytest.mark.parametrize("caller", ALL, ids=lambda caller: caller.name)


@pytest.fixture
def limited(make_app: MakeApp) -> Hooked:
    return Hooked(make_app(**SETTINGS, OTP_SEND_LIMITS="2/10m", OTP_ALLOWED_COUNTRIES="IN"))


@every_system
def test_too_many_messages_to_a_phone_are_refused_in_its_way(
    limited: Hooked, caller: Caller
) -> None:
    phone = limited.phone()
    for code in ("1111", "2222"):
        assert limited.post(caller, caller.message(phone, code)).status_code == 200
    answer = limited.post(caller, caller.message(phone, "3333"))
    assert answer.status_code == caller.refuses
    assert "Try again in 10 minutes" in answer.get_data(as_text=True)
    assert len(limited.stored(phone)) == 2


@every_system
@pytest.mark.parametrize(
    ("phone", "status", "words"),
    [
        ("+4915112345678", 403, "No code can be sent to this phone number"),
        ("+911234", 400, "This phone number can't be right"),
    ],
)
def test_phones_that_get_nothing_are_refused_in_its_way(
    limited: Hooked, caller: Caller, phone: str, status: int, words: str
) -> None:
    answer = limited.post(caller, caller.message(phone, "561166"))
    assert answer.status_code == (200 if caller is SUPABASE else status)
    assert words in answer.get_data(as_text=True)
    assert limited.stored() == []


def test_a_refusal_is_counted_as_one_whatever_its_status_is(limited: Hooked) -> None:
    phone = limited.phone()
    for code in ("1111", "2222", "3333"):
        limited.post(SUPABASE, SUPABASE.message(phone, code))
    told = limited.app.test_client().get("/metrics").get_data(as_text=True)
    (line,) = re.findall("otp_http_requests_total.*send_limit_exceeded.*", told)
    assert 'status="200"' in line
    assert re.search('otp_limit_refusals_total{.*"phone_sends".*} 1.0', told)


def test_end_users_are_counted_where_they_have_an_address_of_their_own(make_app: MakeApp) -> None:
    hooked = Hooked(make_app(**SETTINGS, OTP_ADDRESS_SEND_LIMITS="1/10m"))

    def send(address: object) -> int:
        body = LOGTO.message(hooked.phone(), "561166")
        return hooked.post(LOGTO, with_value(body, "ip", address)).status_code

    assert [send("203.0.113.7"), send("203.0.113.7")] == [200, 429]
    assert [send("10.0.0.7"), send("10.0.0.7"), send(...), send(...)] == [200] * 4


@every_system
def test_the_provider_is_never_called_while_somebody_waits(
    make_app: MakeApp, caller: Caller
) -> None:
    """Whatever it would do then: it is left to a worker, and here none runs."""
    with socket.create_server(("127.0.0.1", 0)) as provider:
        provider.setblocking(False)
        address = f"http://127.0.0.1:{provider.getsockname()[1]}"
        hooked = Hooked(make_app(**SETTINGS, **REAL, GUPSHUP_API_URL=address))
        phone = hooked.phone()
        assert hooked.post(caller, caller.message(phone, "561166")).status_code == 200
        assert [row.status for row in hooked.stored(phone)] == ["queued"]
        with pytest.raises(BlockingIOError):
            provider.accept()


@every_system
def test_without_a_store_it_is_503_and_supabase_is_to_try_again(
    make_app: MakeApp, tmp_path: Path, caller: Caller
) -> None:
    app = make_app(**SETTINGS)
    (engine,) = engines_of(app)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE verifications")
    hooked = Hooked(app)
    answer = hooked.post(caller, caller.message(hooked.phone(), "561166"))
    assert answer.status_code == 503
    assert "No code can be sent at the moment" in answer.get_data(as_text=True)
    assert int(answer.headers["Retry-After"]) >= 1


@pytest.fixture
def in_an_outage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """Postgres is away, the fallback is there; ``param`` says whether a worker runs here."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    environ = {
        "DATABASE_URL": f"postgresql://otp@127.0.0.1:{port}/otp",
        "FALLBACK_DATABASE_URL": f"sqlite:///{tmp_path / 'fallback.db'}",
        "OTP_SECRET": SECRET,
        "OTP_WORKER": request.param,
    }
    app = create_app(environ | SETTINGS, instance=tmp_path / "instance")
    databases.upgrade(engines_of(app)[1])
    yield app
    for engine in engines_of(app):
        engine.dispose()


@every_system
@pytest.mark.parametrize(
    ("in_an_outage", "status"), [("on", 200), ("off", 503)], indirect=["in_an_outage"]
)
def test_a_fallback_takes_it_where_a_worker_of_its_machine_sends_it(
    in_an_outage: Flask, caller: Caller, status: int
) -> None:
    asked = caller.request(caller.message("+919876543210", "561166"))
    assert in_an_outage.test_client().post(caller.path, **asked).status_code == status
    with engines_of(in_an_outage)[1].connect() as connection:
        (count,) = connection.exec_driver_sql("SELECT count(*) FROM deliveries").one()
    assert count == (status == 200)
