"""The server: waitress that finishes what it began.

`waitress-serve` by itself drops the requests in flight at SIGTERM, and as process 1 of a
container does not hear it at all.
"""

from __future__ import annotations

import socket
import time
from typing import Any

from flask import Flask
from waitress import create_server

from otp_service.connections import Channel

DRAIN_SECONDS = 20  # more than a provider may take, less than orchestrators wait before SIGKILL
CONNECTIONS = 940  # of the 1024 open files that a process usually may have; databases need some


class Server:
    """One process's server on a listening socket, which several processes may share."""

    def __init__(self, app: Flask, listener: socket.socket, threads: int) -> None:
        self._stopping = False
        self._waitress: Any = create_server(
            app,
            sockets=[listener],
            threads=threads,
            ident=None,
            connection_limit=CONNECTIONS,
            channel_timeout=30,  # without any byte
            channel_request_lookahead=0,
            asyncore_use_poll=True,
            max_request_header_size=32 * 1024,
            max_request_body_size=4 * 1024 * 1024,  # from here on nobody reads to the end
            inbuf_overflow=4 * 1024 * 1024,  # in memory: large ones are few, see large_bodies.py
            clear_untrusted_proxy_headers=False,  # web/addresses.py decides which of them count
        )
        self._waitress.channel_class = Channel

    def run(self) -> None:
        """Serve until `stop`, then answer what has been asked already."""
        while not self._stopping:
            self._turn(1.0)
        self._turn(0)  # accept who has connected by now
        self._waitress.del_channel()
        self._waitress.socket.close()
        deadline = time.monotonic() + DRAIN_SECONDS
        while self._busy() and time.monotonic() < deadline:
            self._turn(0.1)
        self._waitress.task_dispatcher.shutdown()

    def stop(self, *_: object) -> None:
        """Safe in a signal handler."""
        self._stopping = True
        self._waitress.pull_trigger()

    def _turn(self, seconds: float) -> None:
        self._waitress.asyncore.loop(
            timeout=seconds, map=self._waitress._map, use_poll=True, count=1
        )

    def _busy(self) -> bool:
        channels = list(self._waitress.active_channels.values())
        return any(c.requests or c.request or c.total_outbufs_len for c in channels)


def listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
    listener.listen(1024)
    listener.setblocking(False)
    return listener
