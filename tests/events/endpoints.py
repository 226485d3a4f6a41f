"""Endpoints as an operator adds them."""

from __future__ import annotations

import re

from flask import Flask

from tests.events.receiver import Receiver


def add(app: Flask, arguments: str) -> tuple[str, str]:
    """A new endpoint's id and secret."""
    added = app.test_cli_runner().invoke(args=["otp", "events", "add", *arguments.split()])
    assert added.exit_code == 0, added.output
    return re.findall(r"The endpoint is (\w+)\.", added.stderr)[0], added.stdout.strip()


def listen(app: Flask, receiver: Receiver, arguments: str = "") -> str:
    """The receiver gets events from now on; its endpoint's id."""
    endpoint, receiver.secret = add(app, f"{receiver.url} {arguments}")
    return endpoint
