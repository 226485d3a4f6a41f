"""The simulator's Flask application: what is simulated, and how tests look at it."""

from __future__ import annotations

from flask import Flask

from otp_service.simulator import control_api, phone_page
from otp_service.simulator.base_provider import Carrier
from otp_service.simulator.providers import gupshup, gupshup_sms, meta

MAX_BODY = 32 * 1024  # bytes; a thousand messages are kept


def make_app(carrier: Carrier) -> Flask:
    app = Flask(__name__, static_folder="../static", template_folder="../templates")
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    dialects: dict[str, gupshup.Gupshup | gupshup_sms.Enterprise | meta.Meta] = {
        "gupshup": gupshup.Gupshup(carrier),
        "enterprise": gupshup_sms.Enterprise(carrier),
        "meta": meta.Meta(carrier),
    }
    for name, dialect in dialects.items():
        carrier.dialects[name] = dialect
        app.register_blueprint(dialect.blueprint())
    app.register_blueprint(control_api.blueprint(carrier))
    app.register_blueprint(phone_page.blueprint(carrier))
    return app
