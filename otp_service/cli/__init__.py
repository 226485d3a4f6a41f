"""`./otp …`: what an operator does by hand. A command is a file here, and its name below."""

from __future__ import annotations

from flask import Flask

from otp_service.cli.audit import show_audit
from otp_service.cli.check.command import check
from otp_service.cli.database import cleanup, erase, init_db
from otp_service.cli.group import Commands
from otp_service.cli.keys import keys
from otp_service.cli.support import unlock
from otp_service.cli.why import why
from otp_service.cli.worker import worker

otp = Commands("otp", help="Run and look after the OTP service.")
for command in (init_db, check, worker, keys, why, unlock, show_audit, cleanup, erase):
    otp.add_command(command)


def init_app(app: Flask) -> None:
    app.cli.add_command(otp)
