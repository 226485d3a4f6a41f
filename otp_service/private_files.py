"""Files and folders that hold secrets or codes: for this account alone, whatever the umask is.

What is there already and open to others is closed. Where that can't be done, since it belongs to
another account, a file is refused if everybody may read or write it; of a folder the log warns.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_BESIDE_SQLITE = ("-wal", "-shm", "-journal")
log = logging.getLogger(__name__)


def folder(path: Path, *, ours: bool = False) -> None:
    """Make ``path`` if it is not there. One in which everybody may write is closed; one of
    ``ours``, which holds nothing else, whatever others may do in it.

    Raises `OSError` if it can't be made.
    """
    if not path.exists():
        folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)  # another process may be faster
        return
    mode = path.stat().st_mode
    if mode & stat.S_ISVTX or not mode & (_OTHERS if ours else stat.S_IWOTH):
        return  # of /tmp and its like everybody keeps what is his own
    if not _closed(path, mode):
        log.warning("a folder is open to other accounts, and not ours to close: chmod 700 it")


def file(path: Path) -> None:
    """Make ``path`` if it is not there, and close it if others may look into it.

    Raises `OSError` if that can't be done.
    """
    folder(path.parent)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    close(path)


def sqlite(path: Path) -> None:
    """The same for a database, with what SQLite keeps beside it."""
    file(path)
    for ending in _BESIDE_SQLITE:
        if (beside := path.with_name(path.name + ending)).exists():
            close(beside)


def close(path: Path) -> None:
    """Raises `PermissionError` if everybody may use ``path``, and it is another account's."""
    mode = path.stat().st_mode
    if mode & _OTHERS and not _closed(path, mode) and mode & stat.S_IRWXO:
        raise PermissionError(errno.EACCES, "everybody may use it, and it is not ours to close")


def _closed(path: Path, mode: int) -> bool:
    try:
        path.chmod(stat.S_IMODE(mode) & ~_OTHERS)
    except PermissionError:
        return False
    return True
