"""What Gupshup's answers mean, and what is kept of them."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

import pytest
from requests_mock import Mocker

from otp_service.delivery import failure_reasons
from otp_service.delivery.failure_codes import (
    _TABLE,
    FAMILIES,
    HTTP,
    SMS,
    SMS_RECEIPT,
    WHATSAPP,
    meaning,
)
from otp_service.delivery.failure_reasons import Trouble
from otp_service.delivery.http import Answer
from otp_service.delivery.parsing import scrub
from otp_service.domain import failures
from otp_service.domain.errors import (
    DeliveryError,
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)
from otp_service.domain.failures import Failure, Outcome
from otp_service.domain.messages import Sender
from tests.delivery.account import CODE, KEY, MESSAGE, PHONE, SETTINGS, URL, refusal

# --- what answers mean ---


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize("word", ["submitted", "success", None])
def test_any_2xx_with_an_id_is_accepted(
    requests_mock: Mocker, sender: Sender, status: int, word: str | None
) -> None:
    requests_mock.post(URL, status_code=status, json={"status": word, "messageId": "id-1"})
    assert sender.send(MESSAGE) == "id-1"


def test_an_acceptance_may_have_half_a_character(requests_mock: Mocker, sender: Sender) -> None:
    requests_mock.post(URL, text=r'{"messageId": "id-1", "message": "sent \ud83d"}')
    assert sender.send(MESSAGE) == "id-1"


def test_the_content_type_of_an_answer_does_not_matter(
    requests_mock: Mocker, sender: Sender
) -> None:
    requests_mock.post(URL, text='{"messageId": "id-1"}', headers={"Content-Type": "text/html"})
    assert sender.send(MESSAGE) == "id-1"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, DeliveryFailed),
        (307, DeliveryFailed),
        (400, DeliveryFailed),
        (401, DeliveryFailed),
        (403, DeliveryFailed),
        (404, DeliveryFailed),
        (418, DeliveryFailed),
        (429, DeliveryUnavailable),
        (500, DeliveryUnavailable),
        (502, DeliveryUnavailable),
        (503, DeliveryUnavailable),
        (504, DeliveryUnconfirmed),
        (599, DeliveryUnavailable),
        (799, DeliveryUnconfirmed),
    ],
)
@pytest.mark.parametrize("body", ["", "<html>nginx</html>", '{"status":"error","message":"No"}'])
def test_a_status_alone_decides_when_there_is_no_code(
    sender: Sender, status: int, error: type[DeliveryError], body: str
) -> None:
    assert type(refusal(sender, status_code=status, text=body)) is error


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (1002, DeliveryFailed),  # not on WhatsApp
        ("1003", DeliveryFailed),  # empty wallet
        (130497, DeliveryFailed),  # country
        (250, DeliveryFailed),  # Meta's permissions, not an HTTP status
        (0, DeliveryFailed),
        (4001, DeliveryUnavailable),
        ("131056", DeliveryUnavailable),
        (4002, DeliveryUnconfirmed),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500, 504])
def test_a_known_code_decides_whatever_the_status(
    sender: Sender, status: int, code: object, error: type[DeliveryError]
) -> None:
    body = {"status": "error", "code": code, "message": "words"}
    assert type(refusal(sender, status_code=status, json=body)) is error


def test_a_code_in_an_acceptance_is_told_but_decides_nothing(sender: Sender) -> None:
    error = refusal(sender, status_code=202, json={"status": "submitted", "code": 1002})
    assert (type(error), error.reason) == (DeliveryUnconfirmed, "1002")


def test_an_unknown_code_leaves_it_to_the_status(sender: Sender) -> None:
    body = {"status": "error", "code": 987654, "message": "words"}
    assert type(refusal(sender, status_code=200, json=body)) is DeliveryFailed
    assert type(refusal(sender, status_code=500, json=body)) is DeliveryUnavailable


def test_an_error_with_an_id_is_still_an_error(sender: Sender) -> None:
    body = {"status": "error", "messageId": "id-1", "message": "Invalid Destination"}
    error = refusal(sender, status_code=200, json=body)
    assert (type(error), error.reason) == (DeliveryFailed, "Invalid Destination")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>",
        "{}",
        "[]",
        "null",
        '{"messageId": ""}',
        '{"messageId": "  "}',
        '{"messageId": 5}',
        '{"messageId": "a\\u0000b"}',
        '{"messageId": "%s"}' % ("x" * 201),
        '{"status": "submitted", "code": 1002}',
        '{"status":',
        "[" * 60_000,
    ],
)
def test_a_2xx_that_tells_no_id_may_have_been_accepted(sender: Sender, body: str) -> None:
    assert type(refusal(sender, status_code=202, text=body)) is DeliveryUnconfirmed


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("1", 1),
        ("120", 120),
        ("3600", 3600),
        ("3601", 5),
        ("0", 5),
        ("-3", 5),
        ("1.5", 5),
        ("9" * 5000, 5),
        ("Fri, 01 Jan 2027 00:00:00 GMT", 5),
        (None, 5),
    ],
)
def test_only_a_sensible_retry_after_is_taken_over(
    sender: Sender, header: str | None, seconds: int
) -> None:
    headers = {"Retry-After": header} if header else {}
    assert refusal(sender, status_code=429, headers=headers).retry_after == seconds


def test_what_won_t_pass_has_no_retry_after(sender: Sender) -> None:
    assert refusal(sender, status_code=400, headers={"Retry-After": "60"}).retry_after is None


# Gupshup's and Meta's lists, line by line, as their pages give them; kept apart from the table so
# that neither changes without the other.
DOCUMENTED: dict[str, dict[Failure, str]] = {
    WHATSAPP: {
        # Gupshup: docs.gupshup.io/docs/error-and-status-messages, partner-docs.gupshup.io
        failures.PROVIDER_DOWN: "500 503",
        failures.NOT_ON_WHATSAPP: "1002 1013",
        failures.BALANCE_EMPTY: "1003",
        failures.REQUEST_REJECTED: "1006 1007 1008 1009 1010 1011 470",
        failures.OPTED_OUT: "1012",
        failures.RATE_LIMITED: "4001 471",
        failures.UNCONFIRMED: "4002",
        failures.RECIPIENT_CAPPED: "472",
        failures.SENDER_NOT_READY: "1001 4004",
        failures.TEMPLATE_REJECTED: "1004 1005 4003",
        failures.TEMPLATE_PAUSED: "4005",
    },
    # The Cloud API's page of error codes, section by section, and the Graph API's.
    "authorization": {
        failures.CREDENTIALS_REJECTED: "0 3 10 102 190 131005 "
        + " ".join(map(str, range(200, 300))),
    },
    "integrity": {
        failures.ACCOUNT_RESTRICTED: "368 131031",
        failures.UNSUPPORTED_DESTINATION: "130497",
        failures.RECIPIENT_BLOCKED: "130403",
    },
    "throttling": {
        failures.RATE_LIMITED: "4 17 32 341 613 80007 80008 130429",
        failures.RECIPIENT_RATE_LIMITED: "131056",
        failures.ACCOUNT_RESTRICTED: "131048 131064",
        failures.SENDER_NOT_READY: "133016",
    },
    "messages": {
        failures.PROVIDER_DOWN: "1 2 131000 131016 133004 135000",
        failures.SENDER_NOT_READY: "33 100/33 131030 131045",
        failures.REQUEST_REJECTED: """
            100 506 131001 131002 131006 131008 131009 131047 131051 131052 131053 131055 131060
            131062 139200""",
        failures.RECIPIENT_CAPPED: "130472 131049",
        failures.RECIPIENT_IS_SENDER: "131021",
        failures.UNDELIVERABLE: "131026",
        failures.MESSAGE_EXPIRED: "131043",
        failures.OPTED_OUT: "131050",
        failures.ACCOUNT_RESTRICTED: "131037 134011",
        failures.BALANCE_EMPTY: "131042",
        failures.RATE_LIMITED: "131057 2494100",
        failures.TEMPLATE_REJECTED: "131058 131063",
    },
    "templates": {
        failures.TEMPLATE_REJECTED: """
            132000 132001 132005 132007 132012 132018 134100
            2388019 2388040 2388047 2388072 2388073 2388293 2388299""",
        failures.TEMPLATE_PAUSED: "132015 132016 132068 134101 134102",
        failures.RATE_LIMITED: "132069",
        failures.REQUEST_REJECTED: "200005 200006 200007",
    },
    "registration": {
        failures.SENDER_NOT_READY: """
            133000 133005 133006 133008 133009 133010 133015 136025
            2388001 2388012 2388091 2388093 2388103 2593107 2593108""",
    },
    # docs.gupshup.io/docs/send-message-to-single-number
    SMS: {
        failures.CREDENTIALS_REJECTED: "101 102",
        failures.INVALID_NUMBER: "105",
        failures.REQUEST_REJECTED: "106",
        failures.UNSUPPORTED_DESTINATION: "175",
    },
    # docs.gupshup.io/docs/real-time-delivery-reports
    SMS_RECEIPT: {
        failures.REFUSED: "000",
        failures.RECIPIENT_ABSENT: "001",
        failures.BARRED: "002 006 007",
        failures.INVALID_NUMBER: "003",
        failures.PROVIDER_DOWN: "004 005 008",
        failures.OUTSIDE_HOURS: "009",
    },
}
OF_META = [name for name in DOCUMENTED if name not in FAMILIES]


def listed(*names: str) -> dict[str, Failure]:
    return {
        code: failure
        for name in names
        for failure, codes in DOCUMENTED[name].items()
        for code in codes.split()
    }


@pytest.mark.parametrize(
    ("family", "names"),
    [(WHATSAPP, [WHATSAPP, *OF_META]), (SMS, [SMS]), (SMS_RECEIPT, [SMS_RECEIPT])],
)
def test_the_table_is_the_providers_lists_no_code_more_and_none_less(
    family: str, names: list[str]
) -> None:
    assert FAMILIES[family] == listed(*names)


ERRORS = {Outcome.TEMPORARY: DeliveryUnavailable, Outcome.UNKNOWN: DeliveryUnconfirmed}


@pytest.mark.parametrize("as_number", [True, False])
@pytest.mark.parametrize(
    ("code", "failure"),
    [(code, failure) for code, failure in listed(WHATSAPP, *OF_META).items() if code.isdigit()],
)
def test_every_documented_code_has_its_failure(
    sender: Sender, code: str, failure: Failure, as_number: bool
) -> None:
    body = {"status": "error", "code": int(code) if as_number else code, "message": "words"}
    error = refusal(sender, status_code=400, json=body)
    assert error.failure is failure
    assert error.details == {"failure": failure.code, "reason": f"{code}: words"}
    assert type(error) is ERRORS.get(failure.outcome, DeliveryFailed)
    assert error.reason == f"{code}: words"


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (307, failures.REQUEST_REJECTED),
        (400, failures.REFUSED),
        (401, failures.CREDENTIALS_REJECTED),
        (403, failures.CREDENTIALS_REJECTED),
        (429, failures.RATE_LIMITED),
        (500, failures.PROVIDER_DOWN),
        (504, failures.UNCONFIRMED),
        (200, failures.UNCONFIRMED),
    ],
)
def test_every_status_has_its_failure(sender: Sender, status: int, failure: Failure) -> None:
    assert refusal(sender, status_code=status, text="").failure is failure


def test_no_family_has_a_code_twice() -> None:
    for family, table in _TABLE.items():
        names = [name for codes in table.values() for name in codes.split()]
        assert sorted(names) == sorted(FAMILIES[family])


def test_what_the_owner_of_the_account_must_do_is_told_apart() -> None:
    codes = "1003 4005 132015 131042 368"
    assert {FAMILIES[WHATSAPP][code].outcome for code in codes.split()} == {Outcome.ACCOUNT}
    assert FAMILIES[HTTP]["401"].outcome is Outcome.CONFIGURATION


@pytest.mark.parametrize("code", ["100", "131008", "131009"])
def test_details_tell_whether_it_is_the_template_that_does_not_fit(code: str) -> None:
    button = "Required parameter is missing: buttons: Button at index 0 of type Url requires one"
    component = "Param template['components'] is unexpected"
    for words in (button, component):
        assert meaning(WHATSAPP, code, words) is failures.TEMPLATE_REJECTED
    for words in ("The parameter messaging_product is required.", ""):
        assert meaning(WHATSAPP, code, words) is failures.REQUEST_REJECTED
    advice = failures.TEMPLATE_REJECTED.advice
    assert "GUPSHUP_OTP_PARAM_COUNT" in advice
    assert "button" in advice


def test_subcodes_tell_more_than_codes_and_words_do_where_there_are_none() -> None:
    gone = "Unsupported post request. Object with ID '100000000000001' does not exist"
    assert meaning(WHATSAPP, "100", gone, "33") is failures.SENDER_NOT_READY
    assert meaning(WHATSAPP, "100", gone) is failures.SENDER_NOT_READY
    assert meaning(WHATSAPP, "1", "", "2494100") is failures.RATE_LIMITED
    assert meaning(WHATSAPP, "190", "Session has expired", "463") is failures.CREDENTIALS_REJECTED
    assert "META_PHONE_NUMBER_ID" in failures.SENDER_NOT_READY.advice


@pytest.mark.parametrize(
    "words",
    ["New kind of trouble", "An invalid destination", "Message undeliverable", "No", "words"],
)
def test_words_that_may_mean_anything_decide_nothing(words: str) -> None:
    assert meaning(WHATSAPP, "987654", words) is None


# --- what errors hold ---


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


def test_a_key_is_found_as_a_form_and_json_would_write_it() -> None:
    key = 'p@ss"w ö+/='
    for written in (quote_plus(key), quote(key, safe=""), json.dumps(key), key.upper()):
        assert scrub(f"password={written}", key).strip('"') in ("password=…", 'password="…')


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


def test_a_code_that_is_part_of_the_phone_or_key_does_not_unmask_the_rest() -> None:
    assert scrub("to 919876543210", "9876", KEY, "91987654") == "to …3210"
    assert scrub(f"by {KEY}", KEY[-9:-6], KEY) == "by …"


def test_an_answer_s_repr_does_not_show_its_body() -> None:
    assert CODE not in repr(Answer(200, CODE.encode()))


def test_neither_settings_nor_sender_show_the_key(sender: Sender) -> None:
    assert KEY not in repr(SETTINGS) + repr(sender) + repr(vars(sender))
