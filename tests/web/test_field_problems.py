"""An unknown field is told which was meant."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.web.refusals import error

PHONE = {"phone_number": "+919876543210"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("phoneNumber", "phone_number"),
        ("phone", "phone_number"),
        ("Phone-Number", "phone_number"),
        ("purpos", "purpose"),
        ("clientIp", "client_ip"),
        ("lokale", "locale"),
    ],
)
def test_an_unknown_field_is_told_the_nearest_that_is_known(
    client: FlaskClient, written: str, meant: str
) -> None:
    (told,) = error(client.post("/send-otp", json=PHONE | {written: "1"}))["fields"][written]
    assert f"Did you mean {meant}?" in told


def test_an_unknown_field_like_none_is_told_all_that_are_known(client: FlaskClient) -> None:
    (told,) = error(client.post("/send-otp", json=PHONE | {"zzz": "1"}))["fields"]["zzz"]
    assert "Did you mean" not in told
    assert "channel, client_ip, locale, phone_number, purpose" in told


def test_of_very_many_wrong_fields_not_all_are_told(client: FlaskClient) -> None:
    answer = client.post("/send-otp", json={f"f{number}": 1 for number in range(1000)})
    assert len(error(answer)["fields"]) == 20
