"""Who may import whom. The house's only fence."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "otp_service"
FORBIDDEN = {
    "domain": ("web", "storage", "delivery", "flask", "sqlalchemy", "requests", "marshmallow"),
    "storage": ("web", "delivery"),
    "delivery": ("web", "storage", "flask", "sqlalchemy"),
    "web": ("storage", "delivery", "sqlalchemy", "requests"),
}


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return {name.removeprefix("otp_service.") for name in found}


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_each_room_imports_only_what_it_may(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        wrong = {n for n in imports(path) if n.split(".")[0] in FORBIDDEN[room]}
        assert not wrong, f"{path.name} imports {wrong}"


def test_no_function_is_longer_than_forty_lines() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length <= 40, f"{path.name}: {node.name} has {length} lines"
