"""The documented examples of the original API, word for word."""

from __future__ import annotations

import subprocess

import requests
from flask.testing import FlaskClient

from tests.conftest import LiveServer
from tests.system import need_program

NUMBER = "+1234567890"


def curl(server: LiveServer, path: str, body: str) -> str:
    program = need_program("curl", package="curl")
    command = [program, "-sS", "-X", "POST", f"{server.url}{path}"]
    command += ["-H", "Content-Type: application/json", "-d", body]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_three_curl_calls(live_server: LiveServer) -> None:
    phone = f'{{"phone_number": "{NUMBER}"}}'
    assert '"message":"OTP sent successfully"' in curl(live_server, "/send-otp", phone)
    assert '"message":"OTP resent successfully"' in curl(live_server, "/resend-otp", phone)
    answer = curl(live_server, "/verify-otp", f'{{"phone_number": "{NUMBER}", "otp": "123456"}}')
    assert '"success":true' in answer.replace(" ", "")
    assert '"message":"OTP verified successfully"' in answer


def test_the_python_snippet(live_server: LiveServer) -> None:
    response = requests.post(f"{live_server.url}/send-otp", json={"phone_number": NUMBER})
    sent = response.json()
    assert sent["success"] is True
    assert sent["data"]["phone_number"] == NUMBER
    response = requests.post(
        f"{live_server.url}/verify-otp",
        json={"phone_number": NUMBER, "otp": "123456"},
    )
    verified = response.json()
    assert verified["success"] is True
    assert verified["message"] == "OTP verified successfully"
    assert verified["data"]["phone_number"] == NUMBER


def test_health(client: FlaskClient) -> None:
    response = client.get("/health")
    assert response.get_json() == {"status": "healthy", "message": "WhatsApp OTP API is running"}


def test_a_number_without_a_plus_is_the_same_phone(client: FlaskClient) -> None:
    sent = client.post("/send-otp", json={"phone_number": "1234567890"}).get_json()
    assert sent["data"]["phone_number"] == NUMBER
    again = client.post("/send-otp", json={"phone_number": NUMBER}).get_json()
    assert again["error"]["code"] == "otp_already_sent"


def test_what_a_person_caused_is_answered_with_200(client: FlaskClient) -> None:
    sent = client.post("/send-otp", json={"phone_number": NUMBER}).get_json()
    wrong = "000000" if sent["data"]["otp"] != "000000" else "111111"
    for body, message in [
        ({"phone_number": NUMBER, "otp": wrong}, "Invalid OTP"),
        ({"phone_number": "+919876543210", "otp": wrong}, "OTP not found or expired"),
    ]:
        response = client.post("/verify-otp", json=body)
        assert response.status_code == 200
        answer = response.get_json()
        assert (answer["success"], answer["message"]) == (False, message)
        assert answer["data"] == {"phone_number": body["phone_number"]}


def test_both_debug_pages_and_the_documentation_answer(client: FlaskClient) -> None:
    for path in ("/debug/whatsapp", "/debug/test-request", "/docs", "/redoc"):
        assert client.get(path).status_code == 200
