"""JSON that any parser reads back as what it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otp_service import json_text


@pytest.mark.parametrize(
    "value",
    [{"b": 1, "a": [None, True, 1.5]}, "नमस्ते 😀", 'a "quoted"\n\x01 one', 2**64, "\ud83d", {}],
)
def test_what_is_written_is_read_back(value: Any) -> None:
    assert json.loads(json_text.dumps(value)) == value


def test_fields_keep_their_order_and_have_no_blanks_between_them() -> None:
    assert json_text.dumps({"b": 1, "a": [2, 3]}) == b'{"b":1,"a":[2,3]}'


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError):
        json_text.dumps(object())
