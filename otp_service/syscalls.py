"""System calls that come back at once, made without letting go of Python's interpreter.

Python lets go of it around each of them, since it might wait. Another thread takes it then, and
this one waits to get it back: two changes of thread, for a call of a microsecond. What is called
here waits for nobody.
"""

from __future__ import annotations

import ctypes
import os
import platform
import select
import socket
import struct
import threading
from ctypes import c_char_p, c_int, c_size_t, c_ssize_t, c_void_p
from typing import Any, NamedTuple

_AT_ONCE = 8192  # bytes
_EVENTS = 64
_EPOLL_CTL_MOD = 3
_AT_FDCWD, _STATX_BASIC_STATS = -100, 0x7FF
_STATX = struct.Struct("=32xQQ64xqI")  # inode and size; seconds and nanoseconds of its last change


class FileState(NamedTuple):
    modified_ns: int
    size: int
    inode: int


class _PollFd(ctypes.Structure):
    """POSIX's `struct pollfd`."""

    _fields_ = (("fd", c_int), ("events", ctypes.c_short), ("revents", ctypes.c_short))


class _EpollData(ctypes.Union):
    _fields_ = (("fd", c_int), ("u64", ctypes.c_uint64))


class _EpollEvent(ctypes.Structure):
    """Linux's `struct epoll_event`, which only x86-64 packs."""

    _anonymous_ = ("data",)
    if platform.machine() == "x86_64":
        _pack_ = 1
    _fields_ = (("events", ctypes.c_uint32), ("data", _EpollData))


class _Here(threading.local):
    """Where this thread is told something."""

    def __init__(self) -> None:
        self.bytes = ctypes.create_string_buffer(_AT_ONCE)
        self.events = (_EpollEvent * _EVENTS)()


_here = _Here()
_libc = ctypes.PyDLL(None, use_errno=True)


def _function(name: str, *takes: Any, gives: Any = c_int) -> Any:
    """None where this system has none of that name."""
    found = getattr(_libc, name, None)
    if found is not None:
        found.argtypes, found.restype = takes, gives
    return found


_poll = _function("poll", c_void_p, c_size_t, c_int)
_recv = _function("recv", c_int, c_void_p, c_size_t, c_int, gives=c_ssize_t)
_send = _function("send", c_int, c_char_p, c_size_t, c_int, gives=c_ssize_t)
_write = _function("write", c_int, c_char_p, c_size_t, gives=c_ssize_t)
_epoll_wait = _function("epoll_wait", c_int, c_void_p, c_int, c_int)
_epoll_ctl = _function("epoll_ctl", c_int, c_int, c_int, c_void_p)
_statx = _function("statx", c_int, c_char_p, c_int, ctypes.c_uint, c_void_p)


def is_ready(fd: int, events: int) -> bool:
    """For one of `select.poll`'s events, or because something is wrong with it."""
    return bool(_poll(ctypes.byref(_PollFd(fd, events, 0)), 1, 0))


class Socket(socket.socket):
    """One that never blocks, of a file descriptor that is its own from here on."""

    def __init__(self, fd: int) -> None:
        super().__init__(fileno=fd)
        self.setblocking(False)

    def recv(self, size: int, flags: int = 0) -> bytes:
        """Up to 8 KiB."""
        here = _here.bytes
        got = _done(_recv(self.fileno(), here, min(size, _AT_ONCE), flags))
        return ctypes.string_at(here, got)

    def send(self, data: bytes, flags: int = 0) -> int:  # type: ignore[override]
        return _done(_send(self.fileno(), data, len(data), flags))


def write(fd: int, data: bytes) -> None:
    """All of it, to a file or a pipe. Raises OSError. A pipe without room is waited for as ever."""
    if len(data) <= select.PIPE_BUF and is_ready(fd, select.POLLOUT):
        data = data[_done(_write(fd, data, len(data))) :]
    while data:
        data = data[os.write(fd, data) :]


def epoll_events(epoll: int) -> list[tuple[int, int]]:
    """Those that there are: descriptors, and what each is ready for. Raises OSError."""
    here = _here.events
    return [
        (event.fd, event.events) for event in here[: _done(_epoll_wait(epoll, here, _EVENTS, 0))]
    ]


def epoll_arm(epoll: int, fd: int, events: int) -> None:
    """Have it told of this, once. Raises OSError."""
    event = _EpollEvent(events | select.EPOLLONESHOT)
    event.fd = fd
    _done(_epoll_ctl(epoll, _EPOLL_CTL_MOD, fd, ctypes.byref(event)))


def file_state(path: str) -> FileState | None:
    """None if there is no such file, or none that may be looked at."""
    if _statx is None:
        return _file_state_of_python(path)
    here = _here.bytes
    if _statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_BASIC_STATS, here):
        return None
    inode, size, seconds, nanoseconds = _STATX.unpack_from(here)
    return FileState(seconds * 1_000_000_000 + nanoseconds, size, inode)


def _file_state_of_python(path: str) -> FileState | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return FileState(found.st_mtime_ns, found.st_size, found.st_ino)


def _done(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
