"""Granian in waitress's place: Rust frames and writes, Python's threads do nothing but answer.

Its own supervisor is not used: each process of ours runs one of its workers. Its WSGI would have a
thread wait for each body that is on its way, so this is its RSGI, with threads for the event loop:
a body is collected without any, and whoever brings its last byte goes on with its request.
"""

from __future__ import annotations

import logging
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Flask
from granian import __version__ as release
from granian import _granian
from granian.http import HTTP1Settings

from otp_service.server.granian_request import HEAD_BYTES, Request
from otp_service.server.last_call import AT_ONCE, LastCall
from otp_service.server.waitress_server import CONNECTIONS, DRAIN_SECONDS

log = logging.getLogger(__name__)

HEAD_SECONDS = 30  # from a connection's beginning or last answer to the end of the next head
IDLE_SECONDS = 30  # then a thread that has nothing to do ends, all but one
_KNOWN = "2.8."  # what is used of Granian's is not all public
_rust: Any = _granian  # its own description of it is not complete

if not release.startswith(_KNOWN):
    raise ImportError(f"granian {release}")


class _AtOnce:
    """An event loop, as far as Granian knows one: what is to be called is, in the same thread."""

    def call_soon(self, callback: Callable[..., None], *given: Any, **_: Any) -> None:
        callback(*given)

    call_soon_threadsafe = call_soon


class Server:
    """One process's server on a listening socket, which several processes may share."""

    def __init__(self, app: Flask, listener: socket.socket, threads: int) -> None:
        self._app, self._threads = app, threads
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # its connections have it
        self._socket = _rust.SocketHolder(listener.detach(), False, 1024)  # Granian closes it
        self._asked: set[Request] = set()
        self._stops: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._is_closing = False  # each answer is its connection's last
        self._stop, self._over = _rust.WorkerSignal(), threading.Event()

    def run(self, last_call: LastCall = AT_ONCE) -> None:
        """Serve until `stop`, then answer what has been asked already."""
        logging.getLogger("_granian").setLevel(logging.WARNING)
        self._stop.add_cb(self._over.set)
        loop = _AtOnce()
        scheduler = _rust.CallbackScheduler(loop, None, None, None, None)
        scheduler._schedule_fn = self._take
        self._worker().serve_str(scheduler, loop, self._stop)
        threading.Thread(target=self._hang_up_on_the_slow, daemon=True).start()
        number = self._stops.get()
        self._is_closing = True
        self._wait(last_call.seconds_after(number))
        last_call.over()
        self._drain(signal.Signals(number).name if number else "the program")

    def stop(self, number: int | None = None) -> None:
        """Safe in a signal handler; ``number`` is the signal's."""
        self._stops.put(number)

    def _wait(self, seconds: float) -> None:
        """Unless another signal than SIGTERM comes."""
        until = time.monotonic() + seconds
        with suppress(queue.Empty):
            while self._stops.get(timeout=max(0, until - time.monotonic())) == signal.SIGTERM:
                pass

    def _worker(self) -> Any:
        return _rust.RSGIWorker(
            1,
            (None, self._socket),
            None,
            blocking_threads=1,  # for files, which we don't let it send
            py_threads=self._threads,
            py_threads_idle_timeout=IDLE_SECONDS,
            backpressure=CONNECTIONS,
            http1_opts=HTTP1Settings(HEAD_SECONDS * 1000, max_buffer_size=HEAD_BYTES),
        )

    def _take(self, asked: Any) -> None:
        """In one of the threads."""
        request = Request(asked.scope, asked.proto, self._app, self._asked.discard)
        request.is_last = self._is_closing
        self._asked.add(request)
        request.begin()

    def _hang_up_on_the_slow(self) -> None:
        while not self._over.wait(1.0):
            self._end_what_is_overdue()

    def _end_what_is_overdue(self) -> None:
        for request in list(self._asked):
            request.end_if_overdue()

    def _drain(self, asked_by: str) -> None:
        began = time.monotonic()
        facts = {"asked_by": asked_by, "requests": len(self._asked)}
        log.info("stopping: what was asked is still answered", extra=facts)
        self._stop.set()
        self._over.wait(DRAIN_SECONDS)
        seconds = round(time.monotonic() - began, 1)
        log.info("drained", extra={"seconds": seconds, "unanswered": len(self._asked)})
