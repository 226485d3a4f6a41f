"""System calls do as Python's own, but no other thread takes the interpreter meanwhile."""

from __future__ import annotations

import errno
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otp_service import syscalls
from otp_service.syscalls import FileState, Socket
from tests.faults.waiting import until


@pytest.fixture
def pair() -> Iterator[tuple[Socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with Socket(ours.detach()) as own, theirs:
        yield own, theirs


@pytest.fixture
def epoll() -> Iterator[select.epoll]:
    with select.epoll() as made:
        yield made


def test_a_socket_gives_what_was_sent_to_it(pair: tuple[Socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(b"\0\1\2")
    assert ours.recv(8192) == b"\0\1\2"
    theirs.sendall(b"a" * 10_000)
    assert [ours.recv(4), len(ours.recv(20_000)), len(ours.recv(20_000))] == [b"aaaa", 8192, 1804]


def test_a_socket_that_has_nothing_says_so_at_once(pair: tuple[Socket, socket.socket]) -> None:
    with pytest.raises(BlockingIOError):
        pair[0].recv(8192)


def test_a_socket_whose_other_end_is_closed_gives_nothing(
    pair: tuple[Socket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.close()
    assert ours.recv(8192) == b""
    with pytest.raises(BrokenPipeError):
        ours.send(b"a")


def test_a_socket_takes_as_much_as_there_is_room_for(pair: tuple[Socket, socket.socket]) -> None:
    ours, theirs = pair
    data = os.urandom(10_000_000)
    sent = ours.send(data)
    assert 0 < sent < len(data)
    with pytest.raises(BlockingIOError):
        ours.send(data)
    assert theirs.recv(4096) == data[:4096]


def test_a_closed_socket_reads_and_writes_nobody_elses() -> None:
    ours, theirs = socket.socketpair()
    closed = Socket(ours.detach())
    closed.close()
    for call in (lambda: closed.recv(10), lambda: closed.send(b"a")):
        with pytest.raises(OSError) as caught:
            call()
        assert caught.value.errno == errno.EBADF
    theirs.close()


def test_a_descriptor_is_ready_when_there_is_something(pair: tuple[Socket, socket.socket]) -> None:
    ours, theirs = pair
    assert not syscalls.is_ready(ours.fileno(), select.POLLIN)
    assert syscalls.is_ready(ours.fileno(), select.POLLOUT)
    theirs.close()
    assert syscalls.is_ready(ours.fileno(), select.POLLIN)


def test_epoll_tells_once_of_each_that_is_armed(epoll: select.epoll) -> None:
    pairs = [socket.socketpair() for _ in range(3)]
    for ours, theirs in pairs:
        epoll.register(ours, 0)
        theirs.send(b"a")
    assert syscalls.epoll_events(epoll.fileno()) == []
    armed = [ours.fileno() for ours, _ in pairs[:2]]
    for fd in armed:
        syscalls.epoll_arm(epoll.fileno(), fd, select.EPOLLIN)
    assert sorted(syscalls.epoll_events(epoll.fileno())) == [(fd, select.EPOLLIN) for fd in armed]
    assert syscalls.epoll_events(epoll.fileno()) == []
    for both in pairs:
        for each in both:
            each.close()


def test_epoll_does_not_know_whom_it_was_not_told_of(epoll: select.epoll) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(FileNotFoundError):
        syscalls.epoll_arm(epoll.fileno(), ours.fileno(), select.EPOLLIN)


@pytest.mark.parametrize("has_statx", [True, False])
def test_a_files_state_is_what_python_says_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_statx: bool
) -> None:
    if not has_statx:
        monkeypatch.setattr(syscalls, "_statx", None)
    file = tmp_path / "größe"
    assert syscalls.file_state(str(file)) is None
    file.write_bytes(b"a" * 12345)
    os.utime(file, ns=(1, 1_700_000_000_123_456_789))
    found = file.stat()
    assert syscalls.file_state(str(file)) == FileState(found.st_mtime_ns, 12345, found.st_ino)


def test_a_line_is_written_to_a_file_as_a_whole(tmp_path: Path) -> None:
    with (tmp_path / "log").open("ab", buffering=0) as file:
        for line in (b"first\n", b"a" * 100_000, b""):
            syscalls.write(file.fileno(), line)
    assert (tmp_path / "log").read_bytes() == b"first\n" + b"a" * 100_000


def test_a_full_pipe_keeps_who_writes_waiting_and_no_other_thread() -> None:
    out, into = os.pipe()
    while syscalls.is_ready(into, select.POLLOUT):
        os.write(into, b"a" * 4096)
    writer = threading.Thread(target=syscalls.write, args=[into, b"the line\n"])
    writer.start()
    writer.join(0.1)
    assert writer.is_alive()  # and this thread has come here
    seen = b""
    while not seen.endswith(b"the line\n"):
        seen += os.read(out, 65536)
    writer.join()
    for end in (out, into):
        os.close(end)


@pytest.fixture
def patient() -> Iterator[None]:
    """A thread that wants to compute waits until another one lets go of the interpreter."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(60)
    yield
    sys.setswitchinterval(before)


def is_taken_during(call: Callable[[], object]) -> bool:
    """Whether another thread, which wants to compute all the time, does so during these calls."""
    turns, ended = 0, False

    def compute() -> None:
        nonlocal turns
        while not ended:
            turns += 1
            time.sleep(0)

    other = threading.Thread(target=compute)
    other.start()
    while not turns:
        time.sleep(0)
    before = turns
    for _ in range(2000):
        call()
    taken = turns != before
    ended = True
    other.join()
    return taken


@pytest.mark.usefixtures("patient")
def test_none_of_them_lets_another_thread_compute(tmp_path: Path, epoll: select.epoll) -> None:
    ours, theirs = (Socket(each.detach()) for each in socket.socketpair())
    epoll.register(ours, 0)
    with (tmp_path / "log").open("ab", buffering=0) as file, ours, theirs:
        fd = file.fileno()
        assert not is_taken_during(lambda: (theirs.send(b"a"), ours.recv(8192)))
        assert not is_taken_during(lambda: syscalls.is_ready(ours.fileno(), select.POLLIN))
        assert not is_taken_during(lambda: syscalls.epoll_arm(epoll.fileno(), ours.fileno(), 1))
        assert not is_taken_during(lambda: syscalls.epoll_events(epoll.fileno()))
        assert not is_taken_during(lambda: syscalls.file_state(file.name))
        assert not is_taken_during(lambda: syscalls.write(fd, b"a line\n"))
        # All of Python's own do, if the other thread has a processor to wake up on.
        until(lambda: is_taken_during(lambda: os.stat(fd)))
