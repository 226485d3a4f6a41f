"""What is taken out of a text before it is kept."""

from __future__ import annotations

import json
from urllib.parse import quote, quote_plus

from otp_service.delivery.parsing import scrub
from tests.delivery.account import KEY


def test_a_key_is_found_as_a_form_and_json_would_write_it() -> None:
    key = 'p@ss"w ö+/='
    for written in (quote_plus(key), quote(key, safe=""), json.dumps(key), key.upper()):
        assert scrub(f"password={written}", key).strip('"') in ("password=…", 'password="…')


def test_a_code_that_is_part_of_the_phone_or_key_does_not_unmask_the_rest() -> None:
    assert scrub("to 919876543210", "9876", KEY, "91987654") == "to …3210"
    assert scrub(f"by {KEY}", KEY[-9:-6], KEY) == "by …"
