"""Code and words are found in every shape, and the reason that is kept holds no secret."""

from __future__ import annotations

import pytest

from otp_service.delivery import failure_reasons
from otp_service.delivery.failure_reasons import Trouble
from otp_service.domain import failures
from otp_service.domain.messages import Sender
from tests.delivery.account import CODE, KEY, PHONE, refusal


def test_the_reason_is_the_provider_s_own_words(sender: Sender) -> None:
    body = {"status": "error", "message": "Invalid App Details"}
    assert refusal(sender, status_code=400, json=body).reason == "Invalid App Details"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "HTTP 400"),
        ('{"message": null}', 'HTTP 400: {"message": null}'),
        ('{"message": [5]}', 'HTTP 400: {"message": [5]}'),
        (
            f'{{"params": ["{CODE}"], "to": "{PHONE[1:]}"}}',
            'HTTP 400: {"params": ["…"], "to": "…3210"}',
        ),
        (
            "<html><style>p {}</style>\n<h1>Bad gateway</h1> nginx</html>",
            "HTTP 400: Bad gateway nginx",
        ),
        ("<html><h1>Bad gateway</h1>" + "<script>let x" * 3_000, "HTTP 400: Bad gateway"),
        ('{"code": 987654, "status": "error"}', '987654: {"code": 987654, "status": "error"}'),
        ('{"code": 1002}', "1002"),
        ("[" * 60_000, "HTTP 400: " + "[" * 190),
    ],
)
def test_without_words_the_reason_is_how_the_body_begins(
    sender: Sender, body: str, reason: str
) -> None:
    assert refusal(sender, status_code=400, text=body).reason == reason


@pytest.mark.parametrize("status", [400, 401, 500])
@pytest.mark.parametrize(
    "body", ["Invalid App Details", '"Invalid App Details"', "Invalid App\r\n Details "]
)
def test_a_plain_text_keeps_its_words(sender: Sender, body: str, status: int) -> None:
    headers = {"Content-Type": "text/plain"}
    error = refusal(sender, status_code=status, text=body, headers=headers)
    assert error.reason == "Invalid App Details"


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"code": 132000, "message": "Param mismatch"}},
        {"error": {"code": "132000", "message": "Param mismatch"}},
        {"status": "error", "code": 132000, "message": "Param mismatch"},
        {"status": "error", "message": "(#132000) Param mismatch"},
        {"status": "error", "message": {"code": 132000, "message": "Param mismatch"}},
        {"status": "error", "errors": [{"code": 132000, "title": "Param mismatch"}]},
        {"status": "error", "response": {"code": 132000, "details": "Param mismatch"}},
        {"error": {"code": 132000, "error_data": {"details": "Param mismatch"}}},
        {"error": {"error": {"code": 132000, "message": "Param mismatch"}, "code": 400}},
        {"status": "error", "response": {"error": {"code": 132000, "message": "Param mismatch"}}},
        {"status": "error", "data": {"errors": [{"code": 132000, "title": "Param mismatch"}]}},
        {"status": "error", "message": '{"error": {"code": 132000, "message": "Param mismatch"}}'},
        {"status": "error", "code": 132000, "message": ["Param mismatch"]},
        {"status": "error", "errors": {"code": 132000, "title": "Param mismatch"}},
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_code_and_words_are_found_in_every_shape(
    sender: Sender, body: dict[str, object], status: int
) -> None:
    error = refusal(sender, status_code=status, json=body)
    assert (error.failure, error.reason) == (failures.TEMPLATE_REJECTED, "132000: Param mismatch")


@pytest.mark.parametrize(
    "body",
    [
        '["Invalid App Details"]',
        '[{"message": "Invalid App Details"}]',
        '{"statusCode": 400, "message": ["Invalid App Details"], "error": "Bad Request"}',
        "<html><head><title>400</title></head><body>Invalid Api Key</body></html>",
    ],
)
def test_words_are_found_in_a_list_and_on_a_page(sender: Sender, body: str) -> None:
    error = refusal(sender, status_code=400, text=body)
    assert error.failure is failures.CREDENTIALS_REJECTED
    assert "Invalid Ap" in error.reason


def test_what_lies_too_deep_is_not_looked_for(sender: Sender) -> None:
    deep = '{"error":' * 900 + '{"code": 132000}' + "}" * 900
    assert refusal(sender, status_code=400, text=deep).failure is failures.REFUSED


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        (2494100, "2494100"),  # in the list
        (2494999, "2494999"),  # not in it, but short
        ("NOT_FOUND", "NOT_FOUND"),
        (919876543210, "…3210"),
        (14155550123, "••••0123"),
        (CODE, "…"),
        (f"E{CODE}", "E…"),
    ],
)
def test_the_providers_code_stays_readable_unless_it_may_be_something_else(
    sender: Sender, code: object, shown: str
) -> None:
    body = {"status": "error", "code": code, "message": "words"}
    assert refusal(sender, status_code=400, json=body).reason == f"{shown}: words"


def test_a_listed_code_is_told_even_if_the_persons_code_looks_like_it() -> None:
    trouble = Trouble("131026", words="your code 131026")
    assert failure_reasons.reason_of(trouble, b"", "131026", known=True) == "131026: your code …"


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        (f"OTP {CODE} for {PHONE} by {KEY}", "OTP … for +…3210 by …"),
        (f"{KEY.upper()} 048-213 0 4 8 2 1 3", "… … …"),
        ("call +91 (98765) 43-210 or 14155550123", "call +••••-210 or ••••0123"),
        ("a\r\nFORGED\x1b[31m\x00\u2028\u202eb", "a  FORGED [31m   b"),
        ("x" * 1000, "x" * 200),
        ("x" * 197 + CODE, "x" * 197 + "…"),
    ],
)
def test_the_reason_is_scrubbed(sender: Sender, words: str, kept: str) -> None:
    assert refusal(sender, status_code=400, json={"message": words}).reason == kept
