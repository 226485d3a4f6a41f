"""Which language a person is written to in."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langcodes import Language

from otp_service.domain.languages import MAX_LENGTH, pick, read


@pytest.mark.parametrize(
    ("written", "tag"),
    [
        ("pt-BR", "pt-BR"),
        ("pt_br", "pt-BR"),
        ("PT_BR", "pt-BR"),
        (" en ", "en"),
        ("en_US.UTF-8", "en-US"),
        ("de_AT.ISO8859-15@euro", "de-AT"),
        ("sr_RS@latin", "sr-Latn-RS"),
        ("uz@cyrillic", "uz-Cyrl"),
        ("he_IL@calendar=hebrew", "he-IL"),
        ("zh_TW_#Hant", "zh-TW"),
        ("en_US_POSIX", "en-US-posix"),
        ("iw-IL", "he-IL"),
        ("in", "id"),
        ("tl_PH", "fil-PH"),
        ("sh", "sr-Latn"),
        ("eng", "en"),
        ("chi", "zh"),
        ("zh-cmn-Hant-TW", "zh-Hant-TW"),
        ("zh-yue", "yue"),
        ("zh-min-nan", "nan"),
        ("i-lux", "lb"),
        ("no-bok", "nb"),
        ("sgn-BE-FR", "sfb"),
        ("art-lojban", "jbo"),
        ("en-x-own", "en-x-own"),
        ("en-", "en"),
        ("en-!", "en"),
        ("en-US,en;q=0.9", "en"),
        ("no_NO_NY", "no-NO"),
        ("en-" + "a" * 300, "en"),
    ],
)
def test_what_bcp_47_and_posix_write_has_one_canonical_tag(written: str, tag: str) -> None:
    assert read(written) == tag


@pytest.mark.parametrize(
    "written",
    ["", " ", "-", "C", "C.UTF-8", "POSIX", "*", "e", "und", "und-Hant", "not a locale", "english"],
)
def test_what_names_no_language_is_none(written: str) -> None:
    assert read(written) is None


@pytest.mark.parametrize(
    "written", ["日本語", "\x00", "en\x00", "\ud800", "123", "a" * 300, "-" * 300, "-a" * 5_000]
)
def test_no_more_does_what_is_no_name_at_all(written: str) -> None:
    assert read(written) is None


@given(st.text() | st.text("abcdehinorstuvxzABCHINSTUW0149-_@.", max_size=400))
def test_any_text_gives_a_short_tag_that_stays_itself_or_none(text: str) -> None:
    tag = read(text)
    if tag is not None:
        assert len(tag) <= MAX_LENGTH
        assert tag.isascii()
        assert read(tag) == tag


TEMPLATES = "en pt-BR he id zh-CN zh-TW nb fil"


@pytest.mark.parametrize(
    ("offered", "wanted", "picked"),
    [
        (TEMPLATES, "pt_BR", "pt-BR"),
        (TEMPLATES, "en_US.UTF-8", "en"),
        (TEMPLATES, "", None),
        (TEMPLATES, "iw-IL", "he"),
        (TEMPLATES, "no-NO", "nb"),
        (TEMPLATES, "nn", "nb"),
        (TEMPLATES, "zh-Hant-TW", "zh-TW"),
        (TEMPLATES, "zh-HK", "zh-TW"),
        (TEMPLATES, "zh_MO.Big5", "zh-TW"),
        (TEMPLATES, "yue-HK", "zh-TW"),
        (TEMPLATES, "zh", "zh-CN"),
        (TEMPLATES, "zh-Hans-HK", "zh-CN"),
        (TEMPLATES, "zh_SG", "zh-CN"),
        (TEMPLATES, "in_ID", "id"),
        (TEMPLATES, "tl", "fil"),
        (TEMPLATES, "pt-PT", "pt-BR"),
        (TEMPLATES, "fr", None),
        (TEMPLATES, "not a locale", None),
        ("en pt-PT pt-BR", "pt-BR", "pt-BR"),  # exact
        ("en_US pt_BR", "PT-br", "pt_BR"),  # whichever way it is spelled
        ("en_US iw zh_TW", "he", "iw"),
        ("pt-PT pt", "pt-BR", "pt"),  # Brazil's, by what is likely
        ("zh zh-Hant", "zh-Hant-TW", "zh-Hant"),
        ("zh zh-TW", "zh-HK", "zh-TW"),  # the script tells more than the shorter tag
        ("en-x-own en", "en-x-other", "en"),  # the general one
        ("ca-valencia ca", "ca-AD", "ca"),
        ("fr-CA fr-FR fr", "fr-BE", "fr"),
        ("de pt-PT pt-AO", "pt-BR", "pt-PT"),  # another region, the first
        ("de pt-AO pt-PT", "pt", "pt-AO"),
        ("es-ES es-419", "es-MX", "es-419"),
        ("en-US en-GB", "en-AU", "en-GB"),
        ("sr-Cyrl sr-Latn", "sh", "sr-Latn"),
        ("en zh-TW", "zh-CN", "zh-TW"),  # the language in another script
        ("en az", "az-Cyrl", "az"),
        ("en pt", "de-AT", None),
        ("en", "eng", "en"),
        ("en", "e", None),
        ("en", None, None),
        ("", "en", None),
        ("EN en", "en", "EN"),  # the first of equals
    ],
)
def test_the_nearest_of_those_on_offer(
    offered: str, wanted: str | None, picked: str | None
) -> None:
    assert pick(offered.split(), wanted) == picked


def test_what_callers_invent_does_not_stay_in_memory_nor_trip_others() -> None:
    found: list[str | None] = []

    def ask(start: int) -> None:
        for number in range(start, start + 1_500):
            read(f"en-x-{number}")
            found.append(pick(["en", "he"], "iw"))

    threads = [threading.Thread(target=ask, args=(start * 10_000,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["he"] * 6_000
    assert len(Language._PARSE_CACHE) < 4_000
    assert len(Language._INSTANCES) < 4_000
