"""The group `otp`: what is the same for each of its commands."""

from __future__ import annotations

import errno
import os
import sys
from collections import UserDict
from typing import Any

import click
from flask import Flask
from flask.cli import AppGroup, ScriptInfo
from werkzeug.utils import import_string

from otp_service.domain.errors import StorageUnavailable

# A disk that is full, a quota, a file's size, a fault. A reader that left (EPIPE) is click's.
_UNWRITTEN = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def application(ctx: click.Context) -> Flask:
    """Also while arguments are read, when there is no application context yet."""
    return ctx.ensure_object(ScriptInfo).load_app()


class OnDemand(UserDict[str, Any]):
    """Commands by their names, each put in as its "module:variable" and imported when it is looked
    at: what serves has all of them, and runs none.
    """

    def __getitem__(self, name: str) -> click.Command:
        command: click.Command = import_string(super().__getitem__(name))
        return command


class Commands(AppGroup):
    """Commands that end plainly: with 2 for what nobody can have meant, and with 1 when the
    database does not do its part.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """All that follows `otp`, a subcommand's included: no part of it sees other than text."""
        for arg in args:
            try:
                arg.encode()
            except UnicodeEncodeError:
                text = ascii(os.fsencode(arg))[2:-1]
                raise click.UsageError(f"This argument is not UTF-8: {text}", ctx) from None
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except StorageUnavailable as failure:
            raise click.ClickException(_explained(failure, application(ctx))) from None
        except OSError as failure:
            if failure.errno not in _UNWRITTEN:
                raise
            _forget_output()
            raise click.ClickException(
                f"what it shows can't be written: {failure.strerror}"
            ) from None


def _forget_output() -> None:
    """What could not be written is tried once more at the end, and a second failure would be told
    with a traceback (Python's library reference, signal, "Note on SIGPIPE").
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def _explained(failure: StorageUnavailable, app: Flask) -> str:
    """What is wrong with which database and what to do about it, as `otp check` tells it."""
    # Seldom needed, and it knows every other room.
    from otp_service.cli.check import databases  # noqa: PLC0415
    from otp_service.cli.check.findings import Mark  # noqa: PLC0415

    found = [each for each in databases.check(app) if each.mark is Mark.PROBLEM]
    lines = [f"{each.subject}: {each.text}\n  {each.advice}".rstrip() for each in found]
    return "\n".join(lines) or f"the database refuses: {failure.reason}"
