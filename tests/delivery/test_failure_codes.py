"""What the providers' codes mean: the table is their lists, line by line."""

from __future__ import annotations

import pytest

from otp_service.delivery.failure_codes import (
    _TABLE,
    FAMILIES,
    HTTP,
    SMS,
    SMS_RECEIPT,
    WHATSAPP,
    meaning,
)
from otp_service.domain import failures
from otp_service.domain.errors import (
    DeliveryFailed,
    DeliveryUnavailable,
    DeliveryUnconfirmed,
)
from otp_service.domain.failures import Failure, Outcome
from otp_service.domain.messages import Sender
from tests.delivery.account import refusal

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
