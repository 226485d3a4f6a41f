"""Which language a person is written to in."""

from __future__ import annotations

import pytest

from otp_service.delivery.templates import pick


@pytest.mark.parametrize(
    ("offered", "wanted", "picked"),
    [
        ("en pt-PT pt-BR", "pt-BR", "pt-BR"),  # exact
        ("en_US pt_BR", "PT-br", "pt_BR"),  # whichever way it is spelled
        ("pt-PT pt", "pt-BR", "pt"),  # truncated
        ("zh zh-Hant", "zh-Hant-TW", "zh-Hant"),  # as little as needed
        ("en en-x-own", "en-x-other", "en"),  # a single letter says nothing
        ("de pt-PT pt-AO", "pt-BR", "pt-PT"),  # another region, the first
        ("de pt-AO pt-PT", "pt", "pt-AO"),
        ("en pt", "de-AT", None),
        ("en", "eng", None),
        ("en", "e", None),
        ("en", "", None),
        ("en", None, None),
        ("", "en", None),
        ("EN en", "en", "EN"),  # the first of equals
    ],
)
def test_the_lookup(offered: str, wanted: str | None, picked: str | None) -> None:
    assert pick(offered.split(), wanted) == picked
