"""Which server serves; and where it is chosen and not there, what to install."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import SECRET
from tests.server.processes import wsgi


@pytest.mark.parametrize(
    ("granian", "reason"),
    [
        ("raise ModuleNotFoundError(name='granian')", "it is not installed"),
        ("__version__ = '9.9.9'; _granian = None", "granian 9.9.9"),
    ],
    ids=["not installed", "another release"],
)
def test_where_granian_is_not_there_it_does_not_start_and_says_what_to_install(
    tmp_path: Path, granian: str, reason: str
) -> None:
    package = tmp_path / "granian"
    package.mkdir()
    (package / "__init__.py").write_text(granian)
    (package / "http.py").write_text("HTTP1Settings = None")
    done = wsgi(
        OTP_SERVER="granian",
        PYTHONPATH=str(tmp_path),
        DATABASE_URL=f"sqlite:///{tmp_path / 'otp.db'}",
        OTP_SECRET=SECRET,
    )
    assert done.returncode == 2
    assert f"OTP_SERVER=granian: {reason}; pip install -r requirements-granian.txt" in done.stderr
