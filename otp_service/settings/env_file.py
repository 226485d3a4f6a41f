"""The environment of this process, and the file `.env` below it."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

from dotenv import dotenv_values

from otp_service.environment import SettingsError

log = logging.getLogger(__name__)


def process_environment(folder: Path) -> dict[str, str]:
    """``.env`` in ``folder``, if there is one, overridden by the process's environment.

    Raises `SettingsError` if it is there and can't be read.
    """
    try:
        _warn_of_readers(folder / ".env")
        from_file = dotenv_values(folder / ".env")
    except OSError as error:
        raise SettingsError([f".env can't be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise SettingsError([".env is not UTF-8: save it in that encoding"]) from None
    return {k: v for k, v in from_file.items() if v is not None} | dict(os.environ)


def _warn_of_readers(path: Path) -> None:
    """It is the operator's, so it is left as it is."""
    if path.exists() and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
        log.warning(".env is open to every account of this machine: chmod 600 .env")
