"""A service in its sandbox, and the Flask example as a site beside it, both on real sockets."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from otp_service import create_app
from tests import databases
from tests.conftest import SECRET, LiveServer, serving
from tests.e2e.browser import browser, page, watch

__all__ = ["browser", "page", "watch"]

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "flask" / "app.py"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("service")
    url = databases.new_sqlite_file(folder / "otp.db")
    with serving(create_app({"DATABASE_URL": url, "OTP_SECRET": SECRET}, instance=folder)) as it:
        yield it


@pytest.fixture(scope="module")
def site(service: LiveServer) -> Iterator[LiveServer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OTP_URL", service.url)
        example = loaded()
    with serving(example) as it:
        yield it


def loaded() -> Flask:
    """The example's application, as its settings are in the environment."""
    spec = importlib.util.spec_from_file_location("flask_example", EXAMPLE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where Flask looks for the folder of its templates
    spec.loader.exec_module(module)
    app = module.app
    assert isinstance(app, Flask)
    return app
