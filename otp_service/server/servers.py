"""Which server serves: waitress, or Granian where it is installed."""

from __future__ import annotations

import importlib
import socket
from typing import Protocol, cast

from flask import Flask

from otp_service.environment import SettingsError
from otp_service.server import waitress_server
from otp_service.server.last_call import AT_ONCE, LastCall
from otp_service.settings import settings_of
from otp_service.web.dependencies import dependencies_of


class Server(Protocol):
    """One process's server on a listening socket, which several processes may share."""

    def run(self, last_call: LastCall = AT_ONCE) -> None:
        """Serve until `stop`, then answer what has been asked already."""

    def stop(self, number: int | None = None) -> None:
        """Safe in a signal handler; ``number`` is the signal's."""


def look_for(chosen: str) -> None:
    """Raises `SettingsError` where it is not installed."""
    if chosen == "granian":
        try:
            importlib.import_module("otp_service.server.granian_server")
        except ImportError as error:
            raise SettingsError([f"OTP_SERVER=granian: {_reason(error)}"]) from None


def _reason(error: ImportError) -> str:
    what = "it is not installed" if error.name == "granian" else str(error)
    return f"{what}; pip install -r requirements-granian.txt"


def make(app: Flask, listener: socket.socket) -> Server:
    settings = settings_of(app)
    if settings.server == "granian":
        granian = importlib.import_module("otp_service.server.granian_server")
        return cast(Server, granian.Server(app, listener, settings.threads))
    is_of_client = dependencies_of(app).clients.is_of_client
    return waitress_server.Server(app, listener, settings.threads, is_of_client)
