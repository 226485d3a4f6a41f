"""Where servers and `flask --app wsgi` find the application; `python wsgi.py` serves it."""

from __future__ import annotations

from flask import Flask

import otp_service
from otp_service.server.launch import main
from otp_service.storage.models.base import db
from otp_service.storage.schema import MIGRATIONS


def create_app() -> Flask:
    """With the commands `flask --app wsgi db …`, which what `main` serves can do without."""
    from flask_migrate import Migrate  # noqa: PLC0415

    app = otp_service.create_app()
    Migrate(app, db, directory=str(MIGRATIONS))
    return app


if __name__ == "__main__":
    main()
