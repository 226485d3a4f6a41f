"""Which addresses may get events."""

from __future__ import annotations

import pytest

from otp_service.events.addresses import problem_with, shown


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/otp-events",
        "https://example.com:8443/?tenant=7",
        "https://203.0.113.7/",
        "http://localhost:3000/",
        "http://127.0.0.1/",
        "http://[::1]:8080/events",
        "http://10.1.2.3/",
        "http://shop:8080/events",
        "http://shop.default.svc/events",
        "http://shop.default.svc.cluster.local/",
        "http://host.docker.internal:3000/",
    ],
)
def test_https_goes_anywhere_and_http_in_ones_own_network(url: str) -> None:
    assert problem_with(url) is None


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/", "https://"),
        ("http://8.8.8.8/", "https://"),
        ("http://169.254.169.254/", "https://"),
        ("http://0.0.0.0/", "https://"),
        ("http://134744072/", "https://"),  # 8.8.8.8, as one number
        ("http://0x08080808/", "https://"),
        ("ftp://example.com/", "such as"),
        ("example.com/events", "such as"),
        ("https://", "such as"),
        ("https:///events", "such as"),
        ("https://example.com:99999/", "such as"),
        ("https://[::1/", "such as"),
        ("https://example.com/a b", "blanks"),
        ("https://example.com/\u00e9", "ASCII"),
        ("https://example.com/\r\nX: y", "ASCII"),
        ("", "ASCII"),
        ("https://example.com/" + "a" * 2048, "2048"),
        ("https://user:secret@example.com/", "user name"),
        ("https://user@example.com/", "user name"),
        ("https://example.com/#part", "#"),
    ],
)
def test_what_can_not_be_posted_to_or_would_tell_the_world_is_refused(url: str, words: str) -> None:
    assert words in str(problem_with(url))


def test_values_in_a_query_are_not_shown() -> None:
    assert shown("https://a.example/x?token=s3&b=t4#") == "https://a.example/x?token=…&b=…"
    assert shown("https://a.example/x?s3cr3t&c=u5=v6&w7") == "https://a.example/x?…&c=…&…"
    assert shown("https://a.example/x") == "https://a.example/x"
