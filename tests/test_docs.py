"""What the documents name is there, and what their tables say is so."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from otp_service.delivery.failure_codes import FAMILIES
from otp_service.delivery.guarded_sender import GuardedSender
from otp_service.delivery.providers.sandbox import SandboxSender
from otp_service.domain.dispatch import Dispatch
from otp_service.domain.errors import delivery_error
from otp_service.domain.failures import FAILURES, OVERTAKEN, Failure, Outcome
from otp_service.domain.messages import Outgoing
from otp_service.domain.policy import Policy
from otp_service.domain.verification import Channel
from otp_service.web.error_handlers import STATUS

ROOT = Path(__file__).parent.parent
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text()
NAMED = re.findall(r"`([\w/]+\.py)::(\w+)`", RELIABILITY)
DELIVERY = (ROOT / "docs" / "delivery.md").read_text()
SHELVES = ("*", "docs/*", "docs/integrations/*", "docs/examples/*/*", "bench/*", "clients/*/*")
PAGES = [path for shelf in SHELVES for path in ROOT.glob(f"{shelf}.md")]


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_that_proves_a_promise_exists(file: str, name: str) -> None:
    path = ROOT / (file if "/" in file else f"tests/faults/{file}")
    assert f"\ndef {name}(" in path.read_text()


def test_every_fault_of_the_table_names_its_test() -> None:
    table = RELIABILITY.partition("## The faults")[2].partition("\n## ")[0]
    faults = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(faults) > 25
    assert [line for line in faults if "::test_" not in line] == []


def statements(nodes: Iterable[ast.AST]) -> set[int]:
    """The numbers of every ``pytest.mark.statement(…)`` among these expressions."""
    calls = (ast.unparse(node) for node in nodes)
    found = (re.fullmatch(r"pytest\.mark\.statement\((.+)\)", call) for call in calls)
    return {int(number) for match in found if match for number in match[1].split(",")}


def statement_tests() -> dict[str, set[int]]:
    """Each test, as file::name, and the numbers of docs/security.md that it carries."""
    carried: dict[str, set[int]] = {}
    for path in (ROOT / "tests").rglob("test_*.py"):
        module = ast.parse(path.read_text())
        everywhere = statements(node.value for node in module.body if isinstance(node, ast.Assign))
        groups: list[ast.Module | ast.ClassDef] = [module]
        groups += [node for node in module.body if isinstance(node, ast.ClassDef)]
        for group in groups:
            of_group = everywhere | statements(getattr(group, "decorator_list", []))
            for node in (node for node in group.body if isinstance(node, ast.FunctionDef)):
                key = f"{path.relative_to(ROOT / 'tests')}::{node.name}"
                carried[key] = statements(node.decorator_list) | of_group
    return carried


def test_every_statement_on_security_names_tests_that_carry_its_number() -> None:
    table = (ROOT / "docs" / "security.md").read_text().partition("## What each statement")[2]
    rows = re.findall(r"^\| (\d+) \|.*\| (.*) \|$", table, re.M)
    numbers = [int(number) for number, _ in rows]
    assert numbers == list(range(1, 33))
    carried = statement_tests()
    for number, tests in rows:
        named = re.findall(r"`([^`]+)`", tests)
        assert named, number
        for test in named:
            assert int(number) in carried[test], f"{number}: {test}"


HOUSE = (ROOT / "docs" / "architecture.md").read_text()


@pytest.mark.parametrize("place", sorted(set(re.findall(r"`([\w./]+\.py(?:::\w+)?)`", HOUSE))))
def test_every_place_that_the_house_names_exists(place: str) -> None:
    file, _, name = place.partition("::")
    found = [path for path in (ROOT / file, ROOT / "otp_service" / file) if path.exists()]
    assert found, file
    defined = rf"^ *(?:def|class) {name}\b|^{name}\b.* = "
    assert not name or re.search(defined, found[0].read_text(), re.MULTILINE), place


def test_every_module_is_in_the_picture_of_the_house() -> None:
    drawn = set(re.findall(r"\w+\.py", HOUSE.partition("```")[2].partition("```")[0]))
    modules = {path.name for path in (ROOT / "otp_service").rglob("*.py")}
    assert modules - drawn == {"__init__.py"} - drawn


def test_commands_are_written_in_the_one_way_that_works() -> None:
    """And the long form of `./otp` once, where that way is told."""
    text = "\n".join(page.read_text() for page in PAGES)
    house = HOUSE.partition("```")[2].partition("```")[0]
    text = text.replace(house, "")
    assert text.count("flask --app wsgi otp") == 1
    assert re.findall(r"(?<![/\w.])python (?:wsgi|-m|-c).*", text) == []
    assert re.findall(r"(?m)^\$? ?otp .*", text) == []


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


def _table(first_heading: str) -> list[list[str]]:
    """The rows of the table in `docs/delivery.md` whose first column has this heading."""
    lines = DELIVERY.partition(f"\n| {first_heading} ")[2].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


OF_FAILURES = {row[0].strip("`"): row for row in _table("`error_code` | outcome")}
OF_OUTCOMES = {row[0].upper(): row for row in _table("outcome")}
OF_CODES = {row[0].strip("`"): row[1:] for row in _table("`error_code` | HTTP status")}


def test_each_failure_is_explained_once_and_in_the_words_of_the_code() -> None:
    assert [row[0].strip("`") for row in _table("`error_code` | outcome")] == list(FAILURES)
    for failure in FAILURES.values():
        _, outcome, explanation, _, todo = OF_FAILURES[failure.code]
        assert outcome == failure.outcome.name.lower()
        assert explanation == failure.explanation
        assert todo == failure.advice if failure.advice else todo


@pytest.mark.parametrize("failure", FAILURES.values(), ids=lambda failure: failure.code)
def test_what_is_done_about_a_failure_is_what_the_code_does(failure: Failure) -> None:
    def follows(*senders: tuple[str, Channel], auto: bool) -> bool:
        """Whether a message that failed at the first of these is carried by another."""
        return _next_route(failure, senders, auto=auto) is not None

    steps = []
    if follows(("one", Channel.WHATSAPP), ("two", Channel.WHATSAPP), auto=False):
        steps.append("next sender")
    if follows(("one", Channel.WHATSAPP), ("sms", Channel.SMS), auto=True):
        steps.append("SMS")
    if failure.outcome is Outcome.TEMPORARY:
        steps.append("again")
    if failure.outcome is Outcome.UNKNOWN:
        steps.append("SMS after the wait")
    done = OF_FAILURES[failure.code][3]
    assert done == ("ends" if failure is OVERTAKEN else ", ".join(steps))


def _next_route(
    failure: Failure, senders: Sequence[tuple[str, Channel]], *, auto: bool
) -> object | None:
    by_channel: dict[Channel, list[GuardedSender]] = {}
    for name, channel in senders:
        sender = SandboxSender(channel)
        sender.provider = name
        by_channel.setdefault(channel, []).append(GuardedSender(sender, calls=1))
    nothing = cast(Any, None)
    policy = Policy(180, 5, 0, expose_code=False, test_numbers=frozenset())
    dispatch = Dispatch(nothing, nothing, by_channel, SandboxSender(), policy)
    channel, phone = Channel.WHATSAPP, "+919876543210"
    message = Outgoing("p0", "d0", phone, 1, "s", channel, "one", None, 180, auto)
    return dispatch.next_route(message, failure)


def test_the_table_of_outcomes_is_what_the_code_does() -> None:
    assert set(OF_OUTCOMES) == {outcome.name for outcome in Outcome}
    for outcome in Outcome:
        _, _, status, same_channel, sms, again = OF_OUTCOMES[outcome.name]
        assert status == str(STATUS[type(delivery_error(Failure("any", outcome, "")))])
        some = [row[3] for row in OF_FAILURES.values() if row[1] == outcome.name.lower()]
        steps = "; ".join(some)
        assert same_channel == ("yes" if "next sender" in steps else "no")
        assert sms == ("after a wait" if "wait" in steps else "yes" if "SMS" in steps else "no")
        assert again == ("yes" if "again" in steps else "no")


@pytest.mark.parametrize("column", range(len(FAMILIES)), ids=list(FAMILIES))
def test_every_code_of_a_provider_means_what_the_table_says(column: int) -> None:
    told = [
        (code, failure)
        for failure, cells in OF_CODES.items()
        for word in cells[column].split()
        for code in _codes(word)
    ]
    family = list(FAMILIES.values())[column]
    assert sorted(told) == sorted((code, failure.code) for code, failure in family.items())


def _codes(word: str) -> list[str]:
    first, _, last = word.partition("–")
    return [str(code) for code in range(int(first), int(last) + 1)] if last else [word]
