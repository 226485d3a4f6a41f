"""What the documents name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text()
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", RELIABILITY)
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("bench/*.md")]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_that_proves_a_promise_exists(file: str, name: str) -> None:
    path = ROOT / (file if "/" in file else f"tests/faults/{file}")
    assert f"\ndef {name}(" in path.read_text()


def test_every_fault_of_the_table_names_its_test() -> None:
    table = RELIABILITY.partition("## The faults")[2].partition("\n## ")[0]
    faults = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(faults) > 25
    assert [line for line in faults if "::test_" not in line] == []


def _anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_another_page_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if link.startswith("http"):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target.exists(), link
        if anchor:
            headings = re.findall(r"^#+ (.*)$", target.read_text(), flags=re.MULTILINE)
            assert anchor in map(_anchor, headings), link
