"""Several processes that count together: prometheus_client's files in one folder.

Each process has files of its own, and whichever is asked adds up all. They are named after the
process's number and not its id: one that replaces another goes on counting in the same files.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import values

from otp_service import private_files
from otp_service.environment import SettingsError

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Of the environment alone, which prometheus_client reads: processes that share this folder count
together."""

FILE_BYTES = 256 * 1024  # some thousand numbers; a file that needs more grows
log = logging.getLogger(__name__)

Join = Callable[[int], None]
"""To be called in a new process with its number, before its application is made."""


@contextmanager
def shared_counts(processes: int) -> Iterator[Join]:
    """For the length of this block: how so many processes, forked in it, count together.

    In the environment's folder, or one that ends with the block. Where none can be had, each
    process counts by itself: that must not keep the service from starting.
    """
    parent = os.getpid()
    given = os.environ.get(FOLDER)
    folder = None
    try:
        folder = Path(given or tempfile.mkdtemp(prefix="otp-metrics-"))
        for number in range(processes):
            _allocate(folder, f"{parent}-{number}")
    except OSError as error:
        facts = {"reason": error.strerror}
        log.warning("no folder to count in: each process has metrics of its own", extra=facts)
        yield lambda number: None
    else:
        yield lambda number: _join(folder, f"{parent}-{number}")
    finally:
        # A child that fails comes here, too; the folder is not its own.
        if folder and not given and os.getpid() == parent:
            shutil.rmtree(folder, ignore_errors=True)


def _allocate(folder: Path, name: str) -> None:
    """Whole files, in advance: they are mapped into memory, and on a disk that is full by then the
    first write to a part that has no room would end the process (SIGBUS).
    """
    for kind in ("counter", "histogram"):
        private_files.file(path := folder / f"{kind}_{name}.db")
        path.write_bytes(bytes(FILE_BYTES))


def _join(folder: Path, name: str) -> None:
    os.environ[FOLDER] = str(folder)
    values.ValueClass = values.MultiProcessValue(lambda: name)  # type: ignore[no-untyped-call]


def shared_folder() -> str | None:
    """Where this process counts together with others, if it does."""
    if not (folder := os.environ.get(FOLDER)):
        return None
    try:
        private_files.folder(Path(folder))
    except OSError as error:
        raise SettingsError([f"{FOLDER}: the folder can't be made: {error.strerror}"]) from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SettingsError([f"{FOLDER}: the folder can't be written to"])
    return folder
