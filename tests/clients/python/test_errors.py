"""Each code of the server is a class of the client's, or falls under one that says what to do."""

from __future__ import annotations

import pytest

import otp_client
from otp_client import (
    ApiError,
    CallerError,
    DeliveryError,
    LimitReached,
    PersonError,
    ServiceError,
    UnexpectedAnswer,
)
from otp_client.errors import UNEXPECTED, Refusal, error_of
from otp_service.web.error_handlers import STATUS

CODES = {kind.code: status for kind, status in STATUS.items()}
BASES = {2: PersonError, 4: CallerError, 5: ServiceError}
NO_CLASS = {  # what this client can't cause, or nobody tells apart
    "bad_request",
    "body_too_large",
    "busy",
    "internal_error",
    "invalid_json",
    "method_not_allowed",
    "not_ready",
    "unsupported_media_type",
}


def base(status: int) -> type[ApiError]:
    return LimitReached if status == 429 else BASES[status // 100]


@pytest.mark.parametrize(("code", "status"), CODES.items())
def test_every_code_of_the_server_is_an_error_of_its_kind(code: str, status: int) -> None:
    error = error_of(Refusal(code, "No", status))
    assert isinstance(error, base(status))
    assert type(error) is ApiError.of_code.get(code, base(status))


def test_no_code_of_the_server_was_forgotten_and_none_was_made_up() -> None:
    assert set(CODES) - set(ApiError.of_code) == NO_CLASS
    assert set(ApiError.of_code) <= set(CODES)


@pytest.mark.parametrize("code", sorted(ApiError.of_code))
def test_a_class_has_the_name_of_its_code_and_is_offered(code: str) -> None:
    name = code.title().replace("_", "")
    assert ApiError.of_code[code] is getattr(otp_client, name)
    assert name in otp_client.__all__


def test_deliveries_that_failed_have_one_class_over_them() -> None:
    of_delivery = {
        code for code, kind in ApiError.of_code.items() if issubclass(kind, DeliveryError)
    }
    assert of_delivery == {code for code in CODES if code.startswith("delivery_")}


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, PersonError), (418, CallerError), (429, LimitReached), (503, ServiceError)],
)
def test_a_code_of_a_newer_server_goes_by_its_status(status: int, kind: type[ApiError]) -> None:
    error = error_of(Refusal("moon_in_the_way", "No", status, details={"limit": "moons"}))
    assert type(error) is kind
    assert error.details["limit"] == "moons"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, UnexpectedAnswer), (302, UnexpectedAnswer), (413, CallerError), (502, ServiceError)],
)
def test_an_answer_of_somebody_else_goes_by_its_status(status: int, kind: type[ApiError]) -> None:
    assert type(error_of(Refusal(UNEXPECTED, "", status))) is kind
