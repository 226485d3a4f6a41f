"""What `make test-fast` leaves out: what needs a Postgres, a browser, another process, a service,
or waits for a provider that stalls.

`pytest -p tests.fast`. What a test needs is read off the fixtures that it comes to use and off
what its file imports: no list of tests has to be kept.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import pytest

SLOW = {
    "postgres_server": "a real Postgres",
    "cluster_server": "a real Postgres, and more",
    "browser": "Chromium",
    "simulator": "the provider's part on real sockets",
    "make_app": "a whole service: a fifth of a second each time, and there are a thousand",
    "engine": "a database that is prepared and filled: on SQLite they took a third of the run",
}
SLOW_MODULES = {
    "subprocess": "another process",
    "misbehaving": "a provider that stalls until a deadline, for which a test sleeps",
}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        (kept if is_fast(item) else left_out).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> None:
    """A fixture that is asked for by its name while a test runs is not seen before."""
    if what := SLOW.get(fixturedef.argname):
        pytest.fail(f"{fixturedef.argname} is {what}: not for a fast test", pytrace=False)


def is_fast(item: pytest.Item) -> bool:
    if not isinstance(item, pytest.Function) or not SLOW.keys().isdisjoint(item.fixturenames):
        return False
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    on_postgres = any(each == "postgres" for each in parameters)  # as `database_url` has it
    return not on_postgres and not any(map(_uses_slow, _modules(item)))


def _modules(item: pytest.Function) -> Iterator[ModuleType]:
    """Its own, and those of its fixtures."""
    yield item.module
    for name in item.fixturenames:
        for definition in item._fixtureinfo.name2fixturedefs.get(name, ()):
            yield sys.modules[definition.func.__module__]


@cache
def _uses_slow(module: ModuleType) -> bool:
    """It is or imports one of them, or something of another module of tests that does."""
    names = {module.__name__.rpartition(".")[2], *vars(module)}
    used = {getattr(each, "__module__", None) for each in vars(module).values()}
    helpers = {str(name) for name in used if str(name).startswith("tests.")} - {module.__name__}
    return not SLOW_MODULES.keys().isdisjoint(names) or any(
        _uses_slow(sys.modules[name]) for name in helpers
    )
