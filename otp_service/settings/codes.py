"""How codes are: how long, for how long, and whose are known beforehand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from otp_service.domain.errors import InvalidPhoneNumber
from otp_service.domain.phone import Numbering
from otp_service.domain.phone import read as read_phone
from otp_service.environment import Reader

_SANDBOX_TEST_NUMBER = "+1234567890"


@dataclass(frozen=True)
class CodeSettings:
    """``expiry`` is in seconds, ``max_attempts`` are wrong guesses for one verification."""

    code_length: int
    expiry: int
    max_attempts: int
    grace_codes: int
    expose_code: bool
    test_numbers: Mapping[str, str] = field(repr=False)
    """Number to its fixed code, or to an empty text."""

    @property
    def fixed_codes(self) -> dict[str, str]:
        return {number: code for number, code in self.test_numbers.items() if code}


def read_codes(read: Reader, sandbox: bool, numbering: Numbering) -> CodeSettings:
    length = read.number("OTP_LENGTH", "Digits of a code", 6, 4, 10)
    if length < 6:
        read.warnings.append("OTP_LENGTH is below 6: such codes are easier to guess")
    minutes = read.decimal("OTP_EXPIRY_MINUTES", "How long a code lives", 3, 0.01, 10)
    return CodeSettings(
        code_length=length,
        expiry=max(1, round(60 * minutes)),
        max_attempts=read.number(
            "OTP_MAX_ATTEMPTS", "Wrong guesses for one verification", 5, 1, 100
        ),
        grace_codes=read.number(
            "OTP_GRACE_CODES", "Earlier codes that stay valid after a resend", 0, 0, 5
        ),
        expose_code=_expose_code(read, sandbox),
        test_numbers=_test_numbers(read, sandbox, length, numbering),
    )


def _expose_code(read: Reader, sandbox: bool) -> bool:
    exposed = read.switch(
        "OTP_EXPOSE_CODE", "Whether answers hold the code, in the sandbox only", sandbox
    )
    if exposed and not sandbox:
        read.problems.append(
            "OTP_EXPOSE_CODE is on with a real sender: anyone who may call /send-otp could sign "
            "in as anyone; remove it or set it to off"
        )
    return exposed


def _test_numbers(read: Reader, sandbox: bool, length: int, numbering: Numbering) -> dict[str, str]:
    """Each number's fixed code, or an empty text. A number that is one is kept as it would be.

    The sandbox's own has the one that the original's documentation types: its calls, copied as they
    stand, end in success.
    """
    numbers = {}
    sandbox_default = f"{_SANDBOX_TEST_NUMBER}={_SANDBOX_TEST_NUMBER[1:][:length]}"
    for entry in read.entries(
        "OTP_TEST_NUMBERS",
        "Numbers whose messages never leave this machine: +NUMBER or +NUMBER=CODE",
        sandbox_default if sandbox else "",
    ):
        number, _, code = entry.partition("=")
        if not re.fullmatch(r"\+[1-9][0-9]{4,14}", number):
            read.problems.append("OTP_TEST_NUMBERS must be +NUMBER or +NUMBER=CODE, with commas")
        elif code and not re.fullmatch(rf"[0-9]{{{length}}}", code):
            read.problems.append(f"OTP_TEST_NUMBERS: each code must have {length} digits")
        else:
            with suppress(InvalidPhoneNumber):
                number = read_phone(number, numbering).e164
            numbers[number] = code
        if not code and not sandbox:
            read.warnings.append(
                "OTP_TEST_NUMBERS: with a real sender nobody can see the code of a test number; "
                "write +NUMBER=CODE"
            )
    return numbers
