"""One connection: how long a request may take to arrive, and how its answer leaves."""

from __future__ import annotations

import select
import socket
import time
from contextlib import suppress
from typing import Any

from waitress import wasyncore
from waitress.channel import ClientDisconnected, HTTPChannel

from otp_service.server.poller import READ, WRITE, Poller
from otp_service.server.request_parser import RequestParser
from otp_service.server.tasks import ApplicationTask, EnvelopeTask
from otp_service.syscalls import Socket
from otp_service.turns import let_go

REQUEST_SECONDS = 30.0  # from a request's first byte to its last
LINGER_SECONDS = 1.0  # for who is still sending when the connection's last answer is out

_SENDS = ("/send-otp", "/resend-otp", "/messages", "/Verifications")  # how their paths end


class Channel(HTTPChannel):
    """waitress's connection, which ends if a request takes too long to arrive, and in good order.

    waitress's own timeout starts again at each byte: one that drips would stay for ever. And it
    closes a connection with unread bytes on it, which takes the answer from who was still sending.

    It belongs to the thread that the poller told of it, or to the queue of requests, until that
    thread (or the one that answers) lets go of it: then the poller watches it. waitress's main
    thread, which would send what a thread has written, is not needed.
    """

    parser_class = RequestParser
    task_class = ApplicationTask
    error_task_class = EnvelopeTask
    close_when_flushed: bool
    total_outbufs_len: int
    _has_request = False
    _is_watched = True
    _stays_until: float | None = None  # all is said; what still comes is read and thrown away

    def __init__(self, server: Any, sock: socket.socket, addr: Any, adj: Any, map: Any) -> None:  # noqa: A002 (waitress's)
        super().__init__(server, Socket(sock.detach()), addr, adj, map=map)
        self._poller: Poller = server.poller
        self._poller.watch(self._fileno, READ)

    @property
    def is_of_client(self) -> bool:
        """Of the request that waits for a thread."""
        request = self.requests[0]
        told = request.headers.get
        headers = {"Authorization": told("AUTHORIZATION", ""), "X-API-Key": told("X_API_KEY", "")}
        return request.error is None and bool(self.server.is_of_client(request.path, headers))

    @property
    def is_send(self) -> bool:
        return bool(self.requests[0].path.endswith(_SENDS))

    def take(self, events: int) -> bool:
        """Read or write, as the poller says that it may; whether it has a request now."""
        self._is_watched = self._has_request = False
        wasyncore.readwrite(self, events)
        return self._has_request or self._let_go()

    def service(self) -> bool:
        """Answer its request; whether it has another one already."""
        self._has_request = False
        super().service()
        if self._has_request:
            self._flush_exception(self._flush_some)  # this answer need not wait for the next one
        return self._has_request or self._let_go()

    def has_request(self) -> None:
        """A request is complete."""
        self._has_request = True

    def _let_go(self) -> bool:
        if self.connected and (self.total_outbufs_len or self.close_when_flushed):
            self.handle_write()
        if self.connected:
            self._is_watched = True
            self._poller.arm(self._fileno, WRITE if self.total_outbufs_len else READ)
        return False

    def handle_write(self) -> None:
        if self.total_outbufs_len:
            self._flush_exception(self._flush_some)
        if self.will_close:
            self.handle_close()
        elif self.connected and self.close_when_flushed and not self.total_outbufs_len:
            self.close_when_flushed = False
            self._say_goodbye()

    def _say_goodbye(self) -> None:
        self._stays_until = time.monotonic() + LINGER_SECONDS
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:  # they have gone
            self.handle_close()

    def received(self, data: bytes) -> bool:
        return False if self._stays_until else bool(super().received(data))

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Wait, here, until they have taken enough of what is written."""
        while self.connected and self.total_outbufs_len > self.adj.outbuf_high_watermark:
            self._flush_exception(self._flush_some)
            with let_go():
                goes_on = not self.will_close and _takes_more(self.socket, self.adj.channel_timeout)
            if not goes_on:
                self.handle_close()
                raise ClientDisconnected

    def handle_close(self) -> None:
        """What had begun to arrive takes no room any more."""
        if arriving := self.request:
            arriving.close()
        super().handle_close()

    def del_channel(self, map: Any = None) -> None:  # noqa: A002
        if self._fileno is not None:
            self._poller.forget(self._fileno)
        super().del_channel(map)
        self.server.has_room()

    def hang_up_if_overdue(self, now: float) -> None:
        """Whoever has it then closes it. ``now`` is the time of day."""
        silent = now - self.last_activity > self.adj.channel_timeout
        if self._is_watched and (silent or self._is_overdue()):
            with suppress(OSError):  # it was closed at this moment
                self.socket.shutdown(socket.SHUT_RDWR)

    def hang_up_if_idle(self) -> None:
        """Whoever has it then closes it, but reads and answers first what came before."""
        says_nothing = not (self.requests or self.request or self._stays_until)
        if self._is_watched and says_nothing and not self.total_outbufs_len:
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RD)

    def _is_overdue(self) -> bool:
        if self._stays_until:
            return time.monotonic() > self._stays_until
        arriving = self.request
        return arriving is not None and time.monotonic() - arriving.began > REQUEST_SECONDS


def _takes_more(client: socket.socket, seconds: float) -> bool:
    """Whether it does before they are over."""
    poll = select.poll()
    poll.register(client, WRITE)
    return [events for _, events in poll.poll(seconds * 1000)] == [WRITE]
