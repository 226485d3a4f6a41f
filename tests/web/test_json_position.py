"""Where a body stops being JSON is told, and no word of it."""

from __future__ import annotations

import json

import pytest
from flask.testing import FlaskClient

from tests.web.refusals import JSON, error


@pytest.mark.parametrize(
    ("raw", "line", "column", "position"),
    [
        (b"", 1, 1, 0),
        (b"[]", 1, 1, 0),
        (b"\n 12", 2, 2, 2),
        (b'{"a": 1\n,"b" 2}', 2, 6, 13),
        (b'{"a": 1} x', 1, 10, 9),
        (b"{'a': 1}", 1, 2, 1),
        (b'{"a": NaN}', 1, 7, 6),
        (b'{"NaN": "Infinity",\n"b": [-Infinity]}', 2, 7, 26),
        (b'{"a": "\xc3\xa4\xff"}', 1, 9, 8),
        (b'{"a": ' + b"9" * 5000 + b"}", 1, 7, 6),
        (b'{"[[": ' + b"[" * 30 + b"]" * 30 + b"}", 1, 27, 26),
        (b'{"a": "line\nbreak"}', 1, 12, 11),
    ],
)
def test_what_is_no_json_is_told_where_and_never_quoted(
    client: FlaskClient, raw: bytes, line: int, column: int, position: int
) -> None:
    told = error(client.post("/send-otp", data=raw, headers=JSON))
    assert told["code"] == "invalid_json"
    assert (told["line"], told["column"], told["position"]) == (line, column, position)


def test_a_byte_order_mark_is_called_so(client: FlaskClient) -> None:
    told = error(client.post("/send-otp", data=b"\xef\xbb\xbf{}", headers=JSON))
    assert told["problem"] == "A byte order mark stands before the JSON: leave it out"


@pytest.mark.parametrize("raw", [b'{"a": canary}', b'{"a": "\\canary"}', b'{"a": "\\ucana"}'])
def test_a_body_that_is_no_json_is_in_no_part_of_the_answer(
    client: FlaskClient, raw: bytes
) -> None:
    answer = client.post("/send-otp", data=raw, headers=JSON)
    assert "cana" not in answer.text
    assert "{" not in json.dumps(error(answer)["problem"])
