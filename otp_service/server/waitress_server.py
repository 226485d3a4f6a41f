"""The server: waitress that finishes what it began.

`waitress-serve` by itself drops the requests in flight at SIGTERM, and as process 1 of a
container does not hear it at all.
"""

from __future__ import annotations

import logging
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from waitress import create_server

from otp_service.server import request_queue
from otp_service.server.connection import Channel

log = logging.getLogger(__name__)

DRAIN_SECONDS = 20  # more than a provider may take, less than orchestrators wait before SIGKILL
CONNECTIONS = 940  # of the 1024 open files that a process usually may have; databases need some


IsOfClient = Callable[[str, dict[str, str]], bool]


class Server:
    """One process's server on a listening socket, which several processes may share.

    What ``is_of_client``, by its path and headers, comes before all else: see `lanes`. Without it
    all requests are alike.
    """

    def __init__(
        self,
        app: Flask,
        listener: socket.socket,
        threads: int,
        is_of_client: IsOfClient = lambda path, headers: True,
    ) -> None:
        self._stopping, self._asked_by = False, ""
        self._waitress: Any = create_server(
            app,
            sockets=[listener],
            _dispatcher=request_queue.dispatcher(threads),
            ident=None,
            connection_limit=CONNECTIONS,
            channel_timeout=30,  # without any byte
            channel_request_lookahead=0,
            asyncore_use_poll=True,
            max_request_header_size=32 * 1024,
            max_request_body_size=4 * 1024 * 1024,  # from here on nobody reads to the end
            inbuf_overflow=4 * 1024 * 1024,  # in memory: large ones are few, see large_bodies.py
            clear_untrusted_proxy_headers=False,  # web/client_address.py decides which count
        )
        self._waitress.channel_class = Channel
        self._waitress.is_of_client = is_of_client

    def run(self) -> None:
        """Serve until `stop`, then answer what has been asked already."""
        while not self._stopping:
            self._turn(1.0)
        self._turn(0)  # accept who has connected by now
        self._waitress.del_channel()
        self._waitress.socket.close()
        self._drain()
        self._waitress.task_dispatcher.shutdown()

    def _drain(self) -> None:
        began, asked = time.monotonic(), self._busy()
        facts = {"asked_by": self._asked_by, "requests": asked}
        log.info("stopping: what was asked is still answered", extra=facts)
        while self._busy() and time.monotonic() < began + DRAIN_SECONDS:
            self._turn(0.1)
        seconds = round(time.monotonic() - began, 1)
        log.info("drained", extra={"seconds": seconds, "unanswered": self._busy()})

    def stop(self, number: int | None = None) -> None:
        """Safe in a signal handler; ``number`` is the signal's."""
        self._asked_by = signal.Signals(number).name if number else "the program"
        self._stopping = True
        self._waitress.pull_trigger()

    def _turn(self, seconds: float) -> None:
        self._waitress.asyncore.loop(
            timeout=seconds, map=self._waitress._map, use_poll=True, count=1
        )

    def _busy(self) -> int:
        """On how many connections there is something to do."""
        channels = list(self._waitress.active_channels.values())
        return sum(bool(c.requests or c.request or c.total_outbufs_len) for c in channels)


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    listener.setblocking(False)
    return listener
