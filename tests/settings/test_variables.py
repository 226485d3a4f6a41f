"""Each setting is named where it is read; what people read of it is held to that."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from otp_service.settings import variables
from tests.settings.environments import GUPSHUP, META, SECRET, SMS, load

ROOT = Path(__file__).parents[2]
IN_THE_SANDBOX = variables({})
WITH_A_SENDER = variables(GUPSHUP)
EXAMPLE = (ROOT / "env.example").read_text()
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
ALL = [*PAGES, ROOT / "env.example", *ROOT.glob("*.yml"), *ROOT.glob("*.yaml")]
ALL += [ROOT / "Makefile", ROOT / "Dockerfile", *ROOT.glob("docs/decisions/*.md")]


def defaults(name: str) -> set[str]:
    """In the sandbox and with a sender; mostly the same one."""
    return {IN_THE_SANDBOX[name].default, WITH_A_SENDER[name].default}


def rows(page: Path) -> list[tuple[str, str]]:
    """The first two cells of each row in the page's tables of settings."""
    found: list[tuple[str, str]] = []
    inside = False
    for line in page.read_text().splitlines():
        inside = line.startswith(("| variable | default |", "| setting | default |")) or (
            inside and line.startswith("|")
        )
        if inside and line.startswith("| `"):
            names, default = line.split(" | ")[:2]
            found.append((names.removeprefix("| "), default))
    return found


def documented() -> list[tuple[str, str, str]]:
    """Page, name and what the page has as its default, for each setting in a table."""
    found = []
    for page in PAGES:
        for cell, default in rows(page):
            names = re.findall(r"`([^`]+)`", cell)
            told = re.split("; " if ";" in default else ", ", default)
            each = told if len(told) == len(names) > 1 else [default] * len(names)
            found += [(page.name, name, text) for name, text in zip(names, each, strict=True)]
    return found


def misspelt(text: str) -> list[str]:
    """What is named as a setting of ours is, and is none."""
    named = re.findall(r"\b(?:OTP|GUPSHUP|META|HOOK)_[A-Z0-9_]*[A-Z0-9]\b", text)
    return [name for name in named if name not in IN_THE_SANDBOX]


def test_every_setting_is_in_the_example_once() -> None:
    names = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]+)=", EXAMPLE, flags=re.MULTILINE)
    assert [name for name in IN_THE_SANDBOX if name not in names] == []
    assert sorted(names) == sorted(IN_THE_SANDBOX)


@pytest.mark.parametrize("name", IN_THE_SANDBOX)
def test_the_example_has_its_default_as_its_value_or_in_the_words_above(name: str) -> None:
    match = re.search(rf"((?:^# .*\n)*)^(?:# )?{name}=(.*)$", EXAMPLE, flags=re.MULTILINE)
    assert match, f"{name} is not in env.example"
    in_words = not match[2] and any(default in match[1] for default in defaults(name))
    assert match[2] in defaults(name) or in_words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_has_a_setting_in_its_tables_once(page: Path) -> None:
    names = [name for each, name, _ in documented() if each == page.name]
    assert sorted(set(names)) == sorted(names)


def test_the_tables_are_found() -> None:
    pages = [page for page, _, _ in documented()]
    assert (pages.count("README.md"), pages.count("security.md")) > (60, 15)
    assert pages.count("proofs.md") == 4


@pytest.mark.parametrize(("page", "name", "told"), documented())
def test_a_table_has_the_default_of_a_setting_that_there_is(
    page: str, name: str, told: str
) -> None:
    """A value stands in backticks, or is a number; no value is told in words."""
    assert name in IN_THE_SANDBOX
    if told.startswith("["):  # it stands behind that link
        return
    if values := defaults(name) - {""}:
        assert set(re.findall(r"`([^`]*)`", told) or [told]) == values
    else:
        assert told[0].isalpha()


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_no_text_names_a_setting_that_there_is_not(path: Path) -> None:
    assert misspelt(path.read_text()) == []


def test_no_text_of_the_service_does() -> None:
    texts = [
        node.value
        for path in (ROOT / "otp_service").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert misspelt("\n".join(texts)) == []


@pytest.mark.parametrize("name", IN_THE_SANDBOX)
def test_it_has_a_meaning_of_a_line(name: str) -> None:
    meaning = IN_THE_SANDBOX[name].meaning
    assert 5 < len(meaning) < 80
    assert not meaning.endswith(".")


@pytest.mark.statement(13)
@pytest.mark.parametrize(
    "name",
    [name for name in IN_THE_SANDBOX if re.search("SECRET|PASSWORD|TOKEN|API_KEY$", name)],
)
def test_what_is_called_a_secret_is_redacted(tmp_path: Path, name: str) -> None:
    secret = bytes(range(0x20, 0x40)).hex()
    if name == "HOOK_SUPABASE_SECRET":
        secret = f"v1,whsec_{secret}"  # which is base64, too
    settings = load(tmp_path, **GUPSHUP | META | SMS | {"OTP_SECRET": SECRET} | {name: secret})
    assert secret in settings.redacted
    assert secret not in repr(settings)
