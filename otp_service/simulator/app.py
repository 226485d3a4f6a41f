"""The simulator's Flask application: what is simulated, and how tests look at it."""

from __future__ import annotations

from flask import Flask

from otp_service.simulator import control, enterprise, gupshup, meta, page
from otp_service.simulator.carrier import Carrier

MAX_BODY = 32 * 1024  # bytes; a thousand messages are kept


def make_app(carrier: Carrier) -> Flask:
    app = Flask(__name__)
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    dialects: dict[str, gupshup.Gupshup | enterprise.Enterprise | meta.Meta] = {
        "gupshup": gupshup.Gupshup(carrier),
        "enterprise": enterprise.Enterprise(carrier),
        "meta": meta.Meta(carrier),
    }
    for name, dialect in dialects.items():
        carrier.dialects[name] = dialect
        app.register_blueprint(dialect.blueprint())
    app.register_blueprint(control.blueprint(carrier))
    app.register_blueprint(page.blueprint(carrier))
    return app
