"""What `make test-fast` runs, and what it leaves out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import databases, fast
from tests.delivery import over_http

pytest_plugins = ["pytester"]
TESTS = Path(__file__).parent


@pytest.fixture
def run(pytester: pytest.Pytester) -> pytest.RunResult:
    """Four tests, of which two need more than themselves, and one asks for it while it runs."""
    pytester.makeconftest(
        """
        import pytest

        @pytest.fixture(scope="session")
        def postgres_server():
            print("Postgres was started")

        @pytest.fixture
        def postgres_url(postgres_server):
            return "url"

        @pytest.fixture(params=["sqlite", "postgres"])
        def database_url(request):
            return request.param
        """
    )
    pytester.makepyfile(
        test_plain="def test_alone(): pass\ndef test_of_either(database_url): pass",
        test_postgres="def test_on_postgres(postgres_url): pass",
        test_process="import subprocess\n\ndef test_in_another_process(): pass",
        test_hidden="def test_that_asks(request): request.getfixturevalue('postgres_url')",
    )
    return pytester.runpytest_inprocess("-p", "tests.fast", "-p", "no:cacheprovider")


def test_what_needs_postgres_or_another_process_is_left_out(run: pytest.RunResult) -> None:
    run.assert_outcomes(passed=2, failed=1, deselected=3)


def test_nothing_starts_postgres_although_it_is_asked_for(run: pytest.RunResult) -> None:
    run.stdout.fnmatch_lines("*postgres_server is a real Postgres: not for a fast test")
    assert "Postgres was started" not in run.stdout.str()


@pytest.mark.parametrize("name", fast.SLOW)
def test_what_takes_long_is_a_fixture(name: str) -> None:
    """One that gets another name would be asked for again."""
    fixture = re.compile(rf"^@pytest\.fixture.*\ndef {name}\(", re.MULTILINE)
    assert any(fixture.search(path.read_text()) for path in TESTS.rglob("*.py"))


def test_what_uses_a_slow_module_through_another_is_left_out_too() -> None:
    assert fast._uses_slow(over_http)
    assert not fast._uses_slow(databases)
