"""Who may call what."""

from __future__ import annotations

import time

import pytest
from flask import Blueprint, Flask
from flask.testing import FlaskClient

from otp_service.storage import api_keys
from otp_service.storage.models.base import db
from otp_service.web import auth
from otp_service.web.openapi import document_of
from tests.conftest import MakeApp, new_key

PHONE = {"phone_number": "+1234567890"}


@pytest.fixture
def guarded(make_app: MakeApp) -> Flask:
    return make_app(API_KEYS="required")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_every_route_belongs_to_a_blueprint_that_declares_its_scope(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        if rule.endpoint != "static":
            blueprint = app.blueprints[rule.endpoint.split(".")[0]]
            scope = blueprint.scope  # type: ignore[attr-defined]
            assert scope in (*auth.SCOPES, auth.PUBLIC, auth.WEBHOOK), rule.rule


def test_only_these_routes_are_open_to_anyone(app: Flask) -> None:
    public = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if getattr(app.blueprints.get(rule.endpoint.split(".")[0]), "scope", "public") == "public"
    }
    pages = {"/", "/docs", "/redoc", "/openapi.json", "/sandbox", "/sandbox/messages"}
    pages.add("/docs/errors/<string(maxlength=64):code>")
    keys = "/.well-known/jwks.json"
    assert public == {"/health", "/ready", "/static/<path:filename>", keys} | pages


def test_a_blueprint_whose_scope_nobody_knows_lets_nobody_in(app: Flask) -> None:
    forgotten = Blueprint("forgotten", __name__)
    forgotten.add_url_rule("/forgotten", view_func=lambda: "anything")
    app.register_blueprint(forgotten)
    assert app.test_client().get("/forgotten").status_code == 500


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"X-API-Key": "wrong"},
        {"X-API-Key": "otp_" + "x" * 5000},
    ],
)
def test_no_or_a_wrong_key_is_401(guarded: Flask, headers: dict[str, str]) -> None:
    response = guarded.test_client().post("/send-otp", json=PHONE, headers=headers)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert response.get_json()["error"]["code"] == "unauthorized"


def test_a_key_travels_in_either_header(guarded: Flask) -> None:
    mine = new_key(guarded, "shop", "otp")
    client = guarded.test_client()
    for headers in (bearer(mine), {"X-API-Key": mine}, {"Authorization": f"bearer {mine}"}):
        assert client.post("/resend-otp", json=PHONE, headers=headers).status_code == 200


@pytest.mark.statement(15)
def test_a_key_without_the_scope_is_403(guarded: Flask) -> None:
    mine = new_key(guarded, "reader", "read")
    client = guarded.test_client()
    response = client.post("/send-otp", json=PHONE, headers=bearer(mine))
    assert (response.status_code, response.get_json()["error"]["code"]) == (403, "forbidden")
    assert client.get("/debug/whatsapp", headers=bearer(mine)).status_code == 403


def test_a_client_sees_only_its_own_verifications(guarded: Flask) -> None:
    one, two = new_key(guarded, "one", "otp", "read"), new_key(guarded, "two", "otp", "read")
    client = guarded.test_client()
    sent = client.post("/send-otp", json=PHONE, headers=bearer(one)).get_json()["data"]
    path = f"/verifications/{sent['verification_id']}"
    assert client.get(path, headers=bearer(two)).status_code == 404
    assert client.delete(path, headers=bearer(two)).status_code == 404
    check = PHONE | {"otp": sent["otp"]}
    theirs = client.post("/verify-otp", json=check, headers=bearer(two)).get_json()
    assert theirs["error"]["code"] == "otp_not_found"
    assert client.get(path, headers=bearer(one)).status_code == 200
    assert client.post("/verify-otp", json=check, headers=bearer(one)).get_json()["success"]


@pytest.mark.statement(15)
def test_a_revoked_key_ends_within_seconds(guarded: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_keys, "SECONDS_TRUSTED", 0.2)
    mine = new_key(guarded, "shop", "otp")
    client = guarded.test_client()
    assert client.post("/resend-otp", json=PHONE, headers=bearer(mine)).status_code == 200
    with guarded.app_context():
        assert api_keys.revoke(db.engine, "shop")
    time.sleep(0.3)
    assert client.post("/resend-otp", json=PHONE, headers=bearer(mine)).status_code == 401


@pytest.mark.statement(15)
def test_a_key_is_stored_hashed(guarded: Flask) -> None:
    mine = new_key(guarded, "shop", "otp")
    with guarded.app_context():
        stored = [str(value) for row in api_keys.everything(db.engine) for value in row]
    assert mine not in stored
    assert api_keys.digest(mine) in stored


def test_the_document_names_the_keys_where_they_are_required(guarded: Flask, app: Flask) -> None:
    paths = document_of(guarded).make()["paths"]
    assert paths["/send-otp"]["post"]["security"] == [{"bearer": []}, {"apiKey": []}]
    assert paths["/health"]["get"]["security"] == []
    optional: list[dict[str, list[str]]] = [{}, {"bearer": []}, {"apiKey": []}]
    assert document_of(app).make()["paths"]["/send-otp"]["post"]["security"] == optional


def test_without_required_keys_a_key_is_not_looked_at(client: FlaskClient) -> None:
    assert client.post("/send-otp", json=PHONE, headers=bearer("any")).status_code == 200
