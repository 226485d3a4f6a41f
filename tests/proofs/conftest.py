"""A service that gives proofs."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import MakeApp


@pytest.fixture
def proving(make_app: MakeApp) -> Flask:
    return make_app(OTP_PROOF="phone", OTP_PROOF_AUDIENCE="shop")


@pytest.fixture
def client(proving: Flask) -> FlaskClient:
    return proving.test_client()
