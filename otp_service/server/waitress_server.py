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
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from otp_service.server import poller, tasks
from otp_service.server.connection import Channel
from otp_service.server.last_call import AT_ONCE, LastCall
from otp_service.server.workers import Workers

log = logging.getLogger(__name__)

DRAIN_SECONDS = 20  # more than a provider may take, less than orchestrators wait before SIGKILL
SETTLE_SECONDS = 0.1
CONNECTIONS = 940  # of the 1024 open files that a process usually may have; databases need some


SENT_AT_ONCE = 32 * 1024  # bytes; up to here an answer is sent as a whole when it is ready
IsOfClient = Callable[[str, dict[str, str]], bool]
ADJUSTMENTS: dict[str, Any] = {
    "ident": None,
    "channel_timeout": 30,  # without any byte
    "channel_request_lookahead": 0,
    "cleanup_interval": 1,
    "max_request_header_size": 32 * 1024,
    "max_request_body_size": 4 * 1024 * 1024,  # from here on nobody reads to the end
    "inbuf_overflow": 4 * 1024 * 1024,  # in memory: large ones are few, see large_bodies.py
    "clear_untrusted_proxy_headers": False,  # web/client_address.py decides which count
}


class _Listener(TcpWSGIServer):
    """What accepts connections, in the main thread, and hangs up on those who take too long.

    The threads do all else with them, so waitress's way to wake the main thread is not used.
    """

    channel_class = Channel
    is_closing = False  # each answer is its connection's last

    def __init__(
        self, app: Flask, listener: socket.socket, threads: int, is_of_client: IsOfClient
    ) -> None:
        self.is_of_client = is_of_client
        self.poller = poller.make()
        super().__init__(
            app,
            _sock=listener,
            dispatcher=Workers(threads, self.poller, self._ready),
            adj=Adjustments(sockets=[listener], connection_limit=CONNECTIONS, **ADJUSTMENTS),
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )
        self.adj.send_bytes = SENT_AT_ONCE
        self.environ = tasks.environ_of_all(self)

    def _ready(self, event: poller.Event) -> Channel | None:
        fd, events = event
        channel: Channel | None = self.active_channels.get(fd)
        return channel if channel is not None and channel.take(events) else None

    def add_task(self, task: Channel) -> None:
        task.has_request()

    def pull_trigger(self) -> None:
        """Who writes sends by himself."""

    def has_room(self) -> None:
        """One connection has ended."""
        if self.in_connection_overflow:
            self.trigger.pull_trigger()

    def hang_up_on_the_idle(self) -> None:
        for channel in list(self.active_channels.values()):
            channel.hang_up_if_idle()

    def maintenance(self, now: float) -> None:
        """waitress calls it once in `cleanup_interval` seconds."""
        self.task_dispatcher.look_out()
        for channel in list(self.active_channels.values()):
            channel.hang_up_if_overdue(now)


class Server:
    """One process's server on a listening socket, which several processes may share.

    What ``is_of_client``, by its path and headers, comes before all else: see `request_queue`.
    Without it all requests are alike.
    """

    def __init__(
        self,
        app: Flask,
        listener: socket.socket,
        threads: int,
        is_of_client: IsOfClient = lambda path, headers: True,
    ) -> None:
        self._stopping = self._hurry = False
        self._asked_by: int | None = None
        self._waitress: Any = _Listener(app, listener, threads, is_of_client)
        self._workers: Workers = self._waitress.task_dispatcher
        self._doors = dict(self._waitress._map)  # no connection yet: what accepts, what wakes

    def run(self, last_call: LastCall = AT_ONCE) -> None:
        """Serve until `stop`, then answer what has been asked already."""
        while not self._stopping:
            self._turn(1.0)
        self._waitress.is_closing = True
        until = time.monotonic() + last_call.seconds_after(self._asked_by)
        while not self._hurry and time.monotonic() < until:
            self._turn(0.1)
        last_call.over()
        self._end()

    def _end(self) -> None:
        self._settle()
        del self._doors[self._waitress._fileno]
        self._waitress.del_channel()
        self._waitress.socket.close()
        self._drain()
        self._workers.shutdown()
        self._waitress.poller.close()

    def _settle(self) -> None:
        """Accept who has connected by now; what is as good as done gets the time to end."""
        before, until = -1, time.monotonic() + SETTLE_SECONDS
        while before != (before := len(self._waitress.active_channels)):
            self._turn(0)
        while not self._workers.are_idle and time.monotonic() < until:
            self._turn(0.01)

    def _drain(self) -> None:
        began, asked = time.monotonic(), self._busy()
        who = signal.Signals(self._asked_by).name if self._asked_by else "the program"
        facts = {"asked_by": who, "requests": asked}
        log.info("stopping: what was asked is still answered", extra=facts)
        while not self._is_done() and time.monotonic() < began + DRAIN_SECONDS:
            self._waitress.hang_up_on_the_idle()
            self._turn(0.02)
            self._waitress.maintenance(time.time())
        seconds = round(time.monotonic() - began, 1)
        log.info("drained", extra={"seconds": seconds, "unanswered": self._busy()})

    def stop(self, number: int | None = None) -> None:
        """Safe in a signal handler; ``number`` is the signal's. Once more ends a last call, unless
        it is SIGTERM: a process may get that from its parent, too.
        """
        self._hurry |= number != signal.SIGTERM
        self._asked_by, self._stopping = self._asked_by or number, True
        self._waitress.trigger.pull_trigger()

    def _turn(self, seconds: float) -> None:
        wasyncore.loop(timeout=seconds, map=self._doors, use_poll=True, count=1)

    def _is_done(self) -> bool:
        """Who was told that his answer is the last one gets the time to hang up."""
        return self._workers.are_idle and not self._waitress.active_channels

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
