"""While a secret that others know is replaced two hold at once, and nothing else does."""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from otp_service.environment import SettingsError
from otp_service.observability.log_redaction import Redaction
from otp_service.settings import Settings
from tests.conftest import SECRET, MakeApp
from tests.settings.environments import GUPSHUP

NEW, OLD = "new-secret-4f1d7a0c95e2", "old-secret-91c3be70aa5d"
WRONG = [f"{NEW}|{OLD}", f"{OLD}|{NEW}", NEW[:-1], OLD[1:], f"{OLD}|", "|", ""]
META = {"META_ACCESS_TOKEN": "t" * 20, "META_PHONE_NUMBER_ID": "1", "META_TEMPLATE": "t"}
REAL = {**GUPSHUP, "OTP_SECRET": SECRET}
NAMES = ("GUPSHUP_WEBHOOK_SECRET", "META_APP_SECRET", "META_VERIFY_TOKEN")


@pytest.fixture
def client(make_app: MakeApp) -> FlaskClient:
    both = dict.fromkeys(NAMES, f"{NEW} | {OLD}")
    return make_app(**META, **both, OTP_EXPOSE_CODE="off").test_client()


def as_bearer(client: FlaskClient, secret: str) -> int:
    headers = {"Authorization": f"Bearer {secret}"}
    return client.post("/webhooks/gupshup", json={}, headers=headers).status_code


def in_the_query(client: FlaskClient, secret: str) -> int:
    return client.get("/webhooks/gupshup-sms", query_string={"token": secret}).status_code


def as_a_signature(client: FlaskClient, secret: str) -> int:
    body = json.dumps({"entry": []}).encode()
    made = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-Hub-Signature-256": f"sha256={made}", "Content-Type": "application/json"}
    return client.post("/webhooks/meta", data=body, headers=headers).status_code


def in_the_handshake(client: FlaskClient, secret: str) -> int:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": secret}
    return client.get("/webhooks/meta", query_string=asked).status_code


@pytest.mark.statement(16)
@pytest.mark.parametrize(
    "present", [as_bearer, in_the_query, as_a_signature, in_the_handshake], ids=lambda f: f.__name__
)
def test_each_of_two_secrets_holds_and_nothing_made_of_them(
    client: FlaskClient, present: object
) -> None:
    assert callable(present)
    assert [present(client, secret) for secret in (NEW, OLD)] == [200, 200]
    assert {present(client, secret) for secret in WRONG} == {401}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [f"{NEW}|", f"|{OLD}", f"{NEW}||{OLD}", f"{NEW}|{OLD}|third"])
def test_what_is_neither_one_nor_two_does_not_start(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({**REAL, name: value}, tmp_path)
    found = [problem for problem in caught.value.problems if problem.startswith(name)]
    assert found
    assert not any(part in str(found) for part in (NEW, OLD, "third"))


@pytest.mark.statement(13)
def test_the_log_has_neither(tmp_path: Path) -> None:
    both = dict.fromkeys(NAMES, f"{NEW}|{OLD}")
    settings = Settings.from_env({**REAL, **META, **both}, tmp_path)
    redacted = Redaction(settings.redacted).text(f"{NEW} or {OLD} or {NEW}|{OLD}")
    assert redacted == "•••• or •••• or ••••"


def test_a_debug_page_masks_each(make_app: MakeApp) -> None:
    both = dict.fromkeys(NAMES, f"{NEW}|{OLD}")
    app = make_app(**META, **both, OTP_EXPOSE_CODE="off", API_KEYS="off")
    shown = app.test_client().get("/debug/whatsapp").get_json()["data"]
    assert shown["app_secret"] == shown["verify_token"] == "••••95e2 | ••••aa5d"


def test_of_two_secrets_the_short_one_is_warned_of(tmp_path: Path) -> None:
    settings = Settings.from_env({**REAL, "GUPSHUP_WEBHOOK_SECRET": f"{NEW}|short"}, tmp_path)
    assert [text for text in settings.warnings if "GUPSHUP_WEBHOOK_SECRET is short" in text]
