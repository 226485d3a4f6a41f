"""The simulator is the other side: it must not share the mistakes of what it is there to test."""

from __future__ import annotations

from tests.test_architecture import PACKAGE, imports

OURS = {path.stem for path in PACKAGE.iterdir()} - {"simulator", "__init__"}


def test_it_knows_nothing_of_the_service_but_its_server() -> None:
    for path in (PACKAGE / "simulator").rglob("*.py"):
        rooms = {name.removeprefix("otp_service.").partition(".")[0] for name in imports(path)}
        assert rooms & OURS <= {"server"}, path.name
