"""`otp check` with settings that have nothing to be said about, against a simulated provider."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from click.testing import Result

from otp_service.simulator import Simulator
from tests.cli.check.helpers import COPY_CODE, HOOK_SECRET, KEY, SMS, Check, checked
from tests.conftest import LiveServer, MakeApp, Serve
from tests.delivery.account import META


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(seed=1, delay=0.02, retry_pause=0.1, api_key=KEY) as simulator:
        yield simulator


@pytest.fixture
def account(simulator: Simulator, database_url: str) -> dict[str, str]:
    """Settings with nothing to be said about."""
    return {
        "DATABASE_URL": database_url,
        "FALLBACK_DATABASE_URL": "off",
        "GUPSHUP_API_URL": simulator.gupshup_url,
        "GUPSHUP_API_KEY": KEY,
        "GUPSHUP_SOURCE": "917834811114",
        "GUPSHUP_SRC_NAME": "DemoApp",
        "GUPSHUP_TEMPLATE_ID": COPY_CODE,
        "GUPSHUP_OTP_PARAM_COUNT": "2",
        "GUPSHUP_APP_ID": "82ed52f4-30c0-4f12-81b4-e7ad07bd41de",
        "GUPSHUP_WEBHOOK_SECRET": HOOK_SECRET,
        "API_KEYS": "off",
    }


@pytest.fixture
def check(make_app: MakeApp, account: dict[str, str]) -> Check:
    """The command with these settings, in this process; it never tells a secret."""

    def run(*arguments: str, **settings: str) -> Result:
        app = make_app(**{k: v for k, v in (account | settings).items() if v})
        return checked(app, *arguments)

    return run


@pytest.fixture
def server(
    make_app: MakeApp, serve: Serve, account: dict[str, str], simulator: Simulator
) -> LiveServer:
    """A running server without a worker of its own, to which receipts come."""
    server = serve(
        make_app(**account | SMS, OTP_WORKER="off", GUPSHUP_SMS_API_URL=simulator.sms_url)
    )
    simulator.callback_url = f"{server.url}/webhooks/gupshup?token={HOOK_SECRET}"
    simulator.sms_callback_url = f"{server.url}/webhooks/gupshup-sms?token={HOOK_SECRET}"
    return server


@pytest.fixture
def meta(simulator: Simulator) -> dict[str, str]:
    """Settings with nothing to be said about."""
    return META | {"META_API_URL": simulator.meta_url, "META_TEMPLATE": "otp_copy_code"}
