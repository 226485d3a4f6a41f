"""How messages are sent, with every secret masked."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from otp_service.web import auth
from otp_service.web.blueprint import Blueprint, Tag
from otp_service.web.bodies import answer
from otp_service.web.dependencies import Description

_CONFIGURATION = {"title": "Configuration", "type": "object"}  # the settings say which sender's
_SAMPLE = {"title": "SampleRequest", "type": "object"}
_CONFIGURATION_EXAMPLE = {
    "provider": "gupshup",
    "api_url": "https://api.gupshup.io/wa/api/v1/template/msg",
    "api_key": "••••3f9a",
    "source": "917834811114",
    "template_id": "c6aecef6-bcb0-4fb1-8100-28c094e3bc6b",
    "src_name": "DemoApp",
    "param_count": 1,
    "missing": ["GUPSHUP_API_KEY"],
}
_SAMPLE_EXAMPLE = {
    "method": "POST",
    "url": _CONFIGURATION_EXAMPLE["api_url"],
    "headers": {"apikey": "••••3f9a", "Content-Type": "application/x-www-form-urlencoded"},
    "form": {
        "channel": "whatsapp",
        "source": "917834811114",
        "src.name": "DemoApp",
        "destination": "1234567890",
        "template": '{"id": "c6aecef6-bcb0-4fb1-8100-28c094e3bc6b", "params": ["123456"]}',
    },
}


def blueprint(
    sender_configuration: Callable[[], Description], sample_request: Callable[[], Description]
) -> Blueprint:
    bp = Blueprint("debug", auth.ADMIN, Tag.DEBUGGING)

    @bp.get("/debug/whatsapp")
    @bp.responds("WhatsApp sender configuration", _CONFIGURATION, _CONFIGURATION_EXAMPLE)
    def debug_whatsapp() -> Response:
        """How messages are sent.

        The configuration of the sender that is asked first, and of SMS, secrets masked to their last 4
        characters, and what is missing.
        """  # noqa: E501 (the document has these very lines)
        return answer("WhatsApp sender configuration", sender_configuration())

    @bp.get("/debug/test-request")
    @bp.responds("The exact request that would go to Gupshup", _SAMPLE, _SAMPLE_EXAMPLE)
    def debug_test_request() -> Response:
        """What would go to the provider.

        The exact request for +1234567890 and the code 123456, with the key masked. Nothing is sent.
        """
        return answer("The exact request that would go to Gupshup", sample_request())

    return bp
