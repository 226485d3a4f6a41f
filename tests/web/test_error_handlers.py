"""What Flask refuses by itself is answered as everything else is."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.web.refusals import JSON, error, refused


def test_an_unknown_path_is_404_in_the_same_envelope(client: FlaskClient) -> None:
    unknown = ("/nope", "/health/", "/verifications/", "/static/../settings.py")
    ids = ("a" * 99, "p%00", "p0123456789abcdef", "'; --", "%ED%A0%80")
    for path in (*unknown, *(f"/verifications/{each}" for each in ids)):
        refused(client.get(path), 404, "not_found")


def test_a_wrong_method_is_405_and_says_which_are_allowed(client: FlaskClient) -> None:
    response = client.get("/send-otp")
    refused(response, 405, "method_not_allowed")
    assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


def test_who_asks_with_a_wrong_method_or_too_much_is_told_what_fits(client: FlaskClient) -> None:
    wrong = client.get("/send-otp")
    assert wrong.headers["Allow"] in error(wrong)["rule"]
    large = client.post("/send-otp", data=b" " * 16385, headers=JSON)
    assert "16384" in error(large)["rule"]
    other = client.post("/send-otp", data=b"a=b", content_type="application/x-www-form-urlencoded")
    assert error(other)["example"] == "Content-Type: application/json"
