"""What a deployment sets, and the settings that come of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from otp_service.environment import SettingsError
from otp_service.settings import Settings

GUPSHUP = {
    "GUPSHUP_API_KEY": "sk_canary_key_1234",
    "GUPSHUP_SOURCE": "917834811114",
    "GUPSHUP_TEMPLATE_ID": "11111111-2222-3333-4444-555555555555",
    "GUPSHUP_SRC_NAME": "DemoApp",
}
META = {
    "META_ACCESS_TOKEN": "EAAcanary0123456789",
    "META_PHONE_NUMBER_ID": "158072934066266",
    "META_TEMPLATE": "verification_code",
}
SMS = {"GUPSHUP_SMS_USERID": "2000012345", "GUPSHUP_SMS_PASSWORD": "canary-password"}
SECRET = "ca" + bytes(range(31)).hex()
WEBHOOK_SECRET = "canary-webhook-secret"


def load(tmp_path: Path, **environ: str) -> Settings:
    return Settings.from_env(environ, tmp_path / "instance")


def problems(tmp_path: Path, **environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(tmp_path, **environ)
    return caught.value.problems


def with_database(instance: Path, **environ: str) -> Settings:
    return Settings.from_env({"OTP_SECRET": SECRET} | environ, instance)


def refusal(instance: Path, **environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        with_database(instance, **environ)
    return "\n".join(caught.value.problems)
