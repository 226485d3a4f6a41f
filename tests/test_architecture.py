"""Who may import whom, in the house's own terms: rooms, floors, no circles.

A room is a folder of `otp_service` (or a module beside them). Where a test fails, it names the
module and what it imports. Then either the code belongs into another room, or what it needs is to
be handed to it by who wires: `bootstrap`, `cli`, `server`. Only if the house itself is to change is
a line of `ROOMS` the right place.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "otp_service"

# Each room, and the rooms that it may import: those above it in this table, and no others.
ROOMS = {
    "circuit_breaker": "",
    "domain": "",
    "json_text": "",
    "private_files": "",
    "syscalls": "",
    "turns": "",
    "version": "",
    "wording": "",
    "environment": "wording",
    "proofs": "domain",
    "observability": "domain environment json_text private_files syscalls turns wording",
    "storage.models": "domain",
    "storage.db": "circuit_breaker domain private_files storage.models syscalls turns",
    "storage.sql": "domain proofs storage.db storage.models",
    "storage": "domain observability proofs storage.db storage.models storage.sql syscalls turns",
    "delivery": "circuit_breaker domain environment observability turns",
    "events": "delivery domain json_text observability",
    "settings": "delivery domain environment private_files proofs",
    "web": "domain json_text observability version wording",
    "web.views": "domain observability web",
    "bootstrap": "delivery domain events observability proofs settings storage storage.db turns "
    "version web",
    "cli.check": "delivery domain settings storage storage.db storage.models web wording",
    "cli": "cli.check domain events observability proofs settings storage storage.db "
    "storage.models storage.sql version web wording",
    "": "bootstrap cli domain environment settings storage.db storage.models web "
    "web.views",  # create_app
    "__main__": "cli",
    "server": "domain environment observability settings storage storage.db storage.models "
    "syscalls turns version web",
    "simulator": "server",
}
MAY_CREATE_APP = {"__main__", "server"}
# Libraries that some rooms do without: what they are for is done elsewhere.
WITHOUT = {
    "domain": {"flask", "sqlalchemy", "requests", "marshmallow"},
    "delivery": {"flask", "sqlalchemy"},
    "events": {"flask", "sqlalchemy"},
    "web": {"sqlalchemy", "requests"},
    "web.views": {"sqlalchemy", "requests"},
}


def _name(path: Path) -> str:
    """Of a module below `otp_service`, in dots: "storage.db.engine"; of the package itself ""."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {_name(path): path for path in PACKAGE.rglob("*.py")}


def imports(path: Path) -> set[str]:
    """Every name that is imported, wherever it stands: in functions and for types only, too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path.name}: imports say the whole name"
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def _module(imported: str) -> str | None:
    """Which of ours it is, or belongs to; None for another's."""
    if not f"{imported}.".startswith("otp_service."):
        return None
    name = imported.partition(".")[2]
    while name not in PATHS:
        name = name.rpartition(".")[0]
    return name


def _modules(path: Path) -> set[str]:
    found = {_module(name) for name in imports(path)}
    return {name for name in found if name is not None} - {_name(path)}


GRAPH = {name: _modules(path) for name, path in PATHS.items()}


def _room(module: str) -> str:
    """The deepest of `ROOMS` that it is in."""
    while module and module not in ROOMS:
        module = module.rpartition(".")[0]
    return module


def _circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """One way that leads back to where it began; empty if there is none."""
    left = {name: set(others) for name, others in graph.items()}
    while ends := [name for name, others in left.items() if not others & left.keys()]:
        for name in ends:
            del left[name]
    way: list[str] = []
    here = min(left, default=None)
    while here is not None and here not in way:
        way.append(here)
        here = min(left[here] & left.keys())
    return [*way[way.index(here) :], here] if here is not None else []


@pytest.mark.parametrize("module", sorted(PATHS))
def test_a_module_imports_from_rooms_that_its_room_may_know(module: str) -> None:
    room = _room(module)
    may = {room, *ROOMS[room].split()} | ({""} if room in MAY_CREATE_APP else set())
    wrong = sorted(other for other in GRAPH[module] if _room(other) not in may)
    assert not wrong, f"{module or 'otp_service'} ({room}) imports {', '.join(wrong)}"


@pytest.mark.parametrize("room", sorted(WITHOUT))
def test_a_room_does_without_what_others_are_for(room: str) -> None:
    for module, path in PATHS.items():
        if _room(module) == room:
            wrong = {name.split(".")[0] for name in imports(path)} & WITHOUT[room]
            assert not wrong, f"{module} imports {', '.join(sorted(wrong))}"


def test_rooms_are_floors_each_knows_those_above_it_in_the_table_only() -> None:
    names = list(ROOMS)
    for number, (room, others) in enumerate(ROOMS.items()):
        below = [other for other in others.split() if other not in names[:number]]
        assert not below, f"{room} stands above {', '.join(below)} in ROOMS, and may not know them"


def test_every_permission_in_the_table_is_used() -> None:
    """What nobody needs any more is taken out of it."""
    used = {(_room(module), _room(other)) for module, others in GRAPH.items() for other in others}
    given = {(room, other) for room, others in ROOMS.items() for other in others.split()}
    given |= {(room, "") for room in MAY_CREATE_APP}
    unused = [f"{room} -> {other or 'otp_service'}" for room, other in sorted(given - used)]
    assert not unused, f"take out of ROOMS: {', '.join(unused)}"


def test_no_module_imports_itself_by_way_of_others() -> None:
    circle = _circle(GRAPH)
    assert not circle, " -> ".join(name or "otp_service" for name in circle)


def test_no_function_is_longer_than_forty_lines() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= 40, f"{path.name}: {node.name} has {length} lines"
