"""`./otp …`: what an operator does by hand. A command is a file here, and its name below."""

from __future__ import annotations

import click
from flask import Flask

from otp_service.cli.group import Commands, OnDemand
from otp_service.version import VERSION

otp = Commands(
    "otp",
    help="Run and look after the OTP service.",
    commands=OnDemand(
        {
            "init-db": "otp_service.cli.database:init_db",
            "check": "otp_service.cli.check.command:check",
            "worker": "otp_service.cli.worker:worker",
            "keys": "otp_service.cli.keys:keys",
            "events": "otp_service.cli.events:events",
            "why": "otp_service.cli.why:why",
            "unlock": "otp_service.cli.support:unlock",
            "audit": "otp_service.cli.audit:show_audit",
            "cleanup": "otp_service.cli.database:cleanup",
            "void": "otp_service.cli.void:void_codes",
            "erase": "otp_service.cli.database:erase",
        }
    ),
)


click.version_option(VERSION, prog_name="otp", message="%(version)s")(otp)


def init_app(app: Flask) -> None:
    app.cli.add_command(otp)
