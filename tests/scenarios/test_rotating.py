"""Each secret is replaced while people sign in, as docs/rotating.md says: nobody is refused."""

from __future__ import annotations

import hashlib
import hmac
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import sqlalchemy as sa
from flask.testing import FlaskCliRunner

from otp_service import create_app
from otp_service.simulator import Simulator
from otp_service.storage.models.base import engines_of
from tests.faults.cluster import Cluster
from tests.faults.processes import Servers
from tests.faults.waiting import until
from tests.scenarios.replicas import Replicas
from tests.scenarios.scene import META, WHATSAPP, Scene

OLD, NEW = bytes(range(0x5E, 0x7E)).hex(), bytes(range(0x6E, 0x8E)).hex()
OLD_HOOK, NEW_HOOK = "old-secret-91c3be70aa5d", "new-secret-4f1d7a0c95e2"
HOOKS = ("GUPSHUP_WEBHOOK_SECRET", "META_APP_SECRET", "META_VERIFY_TOKEN")


@pytest.fixture
def settings(simulator: Simulator, engine: sa.Engine) -> dict[str, str]:
    return {
        **WHATSAPP,
        "DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "FALLBACK_DATABASE_URL": "off",
        "GUPSHUP_API_URL": simulator.gupshup_url,
        "OTP_SECRET": OLD,
        "OTP_CLIENT_REQUESTS": "100000/1s",
        "WAITRESS_THREADS": "2",
    }


@pytest.fixture
def replicas(simulator: Simulator, settings: dict[str, str]) -> Iterator[Replicas]:
    simulator.number_faults = False
    with Servers(**settings) as servers:
        yield Replicas(servers, simulator)


def test_the_secrets_of_codes_and_of_webhooks(replicas: Replicas) -> None:
    theirs = [OLD_HOOK]  # what providers have been told

    def tell() -> None:
        url, secret, body = replicas.take_turns().url, theirs[-1], b'{"entry": []}'
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
        made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        signed = headers | {"X-Hub-Signature-256": f"sha256={made}"}
        asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": secret}
        for answer in (
            requests.post(f"{url}/webhooks/gupshup", b"{}", headers=headers, timeout=20),
            requests.get(f"{url}/webhooks/gupshup-sms", {"token": secret}, timeout=20),
            requests.post(f"{url}/webhooks/meta", body, headers=signed, timeout=20),
            requests.get(f"{url}/webhooks/meta", asked, timeout=20),
        ):
            assert answer.status_code == 200, answer.text

    def known(codes: str, hooks: str) -> dict[str, str]:
        meta = META | {"OTP_WHATSAPP_SENDERS": "gupshup"}
        return meta | {"OTP_SECRET": codes} | dict.fromkeys(HOOKS, hooks)

    replicas.start(**known(OLD, OLD_HOOK))
    with replicas.in_use(tell):
        replicas.roll(**known(f"{OLD},{NEW},{OLD}", f"{NEW_HOOK}|{OLD_HOOK}"))
        theirs.append(NEW_HOOK)
        replicas.wait_for_people()
        replicas.roll(**known(f"{NEW},{OLD}", NEW_HOOK))
        replicas.roll(**known(NEW, NEW_HOOK))
    assert not replicas.refused


def test_the_key_of_a_client(replicas: Replicas, settings: dict[str, str]) -> None:
    otp = create_app(settings).test_cli_runner()
    keys = [new_key(otp)]

    def holds(key: str) -> bool:
        url, headers = replicas.take_turns().url, {"Authorization": f"Bearer {key}"}
        return requests.get(f"{url}/metrics", headers=headers, timeout=20).status_code == 200

    def ask() -> None:
        assert holds(keys[-1])

    replicas.start(API_KEYS="required")
    replicas.use_key(lambda: keys[-1])
    with replicas.in_use(ask):
        made = new_key(otp)
        until(lambda: all(holds(made) for _ in range(8)))  # a quarter of a second later
        keys.append(made)
        replicas.wait_for_people()
        shown = otp.invoke(args=["otp", "keys", "list"]).output.splitlines()
        first = next(line.split()[1] for line in shown if line.startswith("shop"))
        assert otp.invoke(args=["otp", "keys", "revoke", "shop", "--key", first]).exit_code == 0
        until(lambda: not any(holds(keys[0]) for _ in range(8)))
    assert not replicas.refused


def new_key(otp: FlaskCliRunner) -> str:
    made = otp.invoke(args=["otp", "keys", "create", "shop", "--scope", "otp", "--scope", "read"])
    return next(word for word in made.output.split() if word.startswith("otp_"))


@pytest.fixture
def guarded() -> Iterator[Cluster]:
    """A Postgres that asks everybody but its superuser for a password; otp_service owns all."""
    cluster = Cluster.create(Path(tempfile.mkdtemp(prefix="otp-test-rotating-")))
    rules = cluster.folder / "data" / "pg_hba.conf"
    asked = "host all all 127.0.0.1/32 scram-sha-256\n"
    rules.write_text("host all postgres 127.0.0.1/32 trust\n" + asked)
    cluster.start()
    cluster.sql("CREATE ROLE otp_service LOGIN PASSWORD 'old'")
    cluster.sql("GRANT CREATE ON DATABASE postgres TO otp_service")
    url = f"postgresql://otp_service:old@127.0.0.1:{cluster.port}/postgres"
    app = create_app({"DATABASE_URL": url, "FALLBACK_DATABASE_URL": "off"})
    assert app.test_cli_runner().invoke(args=["otp", "init-db"]).exit_code == 0
    engines_of(app)[0].dispose()
    yield cluster
    cluster.remove()


def test_the_password_of_the_database(replicas: Replicas, guarded: Cluster) -> None:
    at = f"127.0.0.1:{guarded.port}/postgres"
    replicas.start(DATABASE_URL=f"postgresql://otp_service:old@{at}")
    with replicas.in_use():
        guarded.sql("CREATE ROLE otp_green LOGIN PASSWORD 'new' IN ROLE otp_service")
        guarded.sql("ALTER ROLE otp_green SET role = 'otp_service'")
        replicas.roll(DATABASE_URL=f"postgresql://otp_green:new@{at}")
        guarded.sql("ALTER ROLE otp_service NOLOGIN")
        replicas.wait_for_people()
        serving = "SELECT DISTINCT usename FROM pg_stat_activity WHERE usename ~ 'otp'"
        until(lambda: guarded.sql(serving) == [("otp_green",)])  # a session ends a moment later
    assert not replicas.refused


def test_while_gupshup_takes_another_key_only_a_send_fails_at_once_and_costs_nothing(
    scene: Scene,
) -> None:
    other, third = "+919876543211", "+919876543212"
    sent = scene.send()
    scene.simulator.api_key = "another"
    refused = scene.send(other)
    assert (refused.status, refused.code) == (502, "delivery_failed")
    assert refused.body["error"]["failure"] == "credentials_rejected"
    queued = scene.asking(Prefer="respond-async").send(third)
    (delivery,) = scene.comes_to(queued, "whatsapp failed")
    assert delivery["error_code"] == "credentials_rejected"
    assert scene.verify(scene.code()).code == "ok"
    scene.simulator.api_key = WHATSAPP["GUPSHUP_API_KEY"]
    again = scene.send(other)
    assert again.code == "ok"
    assert again.data["sends_remaining"] == sent.data["sends_remaining"]
