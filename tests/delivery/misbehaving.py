"""A provider that misbehaves, on the loopback interface.

`serve` starts a server which reads whole requests, keeps them, and lets the given turns answer
them, one after the other (the last one for all that follow). A turn gets the connection and does
as it likes; a connection that it leaves open is used for the next request.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from urllib.parse import parse_qs

Turn = Callable[[socket.socket, threading.Event], None]

ACCEPTED = json.dumps({"status": "submitted", "messageId": "ee4a68a0-1203"}).encode()


def form_of(raw: bytes) -> dict[str, str]:
    """The form of a request as it came over the wire."""
    body = raw.partition(b"\r\n\r\n")[2].decode()
    return {name: values[0] for name, values in parse_qs(body).items()}


def code_in(raw: bytes) -> str:
    return str(json.loads(form_of(raw)["template"])["params"][0])


class Server:
    """``requests`` are raw bytes in order of arrival, ``connections`` counts accepted ones."""

    def __init__(self, *turns: Turn) -> None:
        self._turns = list(turns)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._open: list[socket.socket] = []
        self.requests: list[bytes] = []
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/wa/api/v1/template/msg"

    def close(self) -> None:
        self._over.set()
        for sock in [self._listener, *self._open]:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self.connections += 1
                self._open.append(sock)
                threading.Thread(target=self._converse, args=[sock], daemon=True).start()

    def _converse(self, sock: socket.socket) -> None:
        with suppress(OSError), sock:
            while request := _read_request(sock):
                self.requests.append(request)
                turn = self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]
                turn(sock, self._over)


@contextmanager
def serve(*turns: Turn) -> Iterator[Server]:
    with closing(Server(*turns)) as server:
        yield server


def closed_port_url() -> str:
    """Where nobody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"


def http(body: bytes = ACCEPTED, status: str = "202 Accepted", **headers: str) -> bytes:
    """A whole answer; ``Content_Type="text/html"`` becomes a header of that name."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def say(data: bytes) -> Turn:
    """Answer, and keep the connection open."""
    return lambda sock, over: sock.sendall(data)


def say_and_hang_up(data: bytes) -> Turn:
    """Answer, then close the connection, which the answer doesn't announce."""

    def turn(sock: socket.socket, over: threading.Event) -> None:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_RDWR)

    return turn


def drip(at_once: bytes, slowly: bytes, every: float = 0.05) -> Turn:
    """Answer one part at once, and the other a byte every so many seconds."""

    def turn(sock: socket.socket, over: threading.Event) -> None:
        sock.sendall(at_once)
        for byte in slowly:
            sock.sendall(bytes([byte]))
            over.wait(every)

    return turn


def stall(sock: socket.socket, over: threading.Event) -> None:
    over.wait(20)


def _read_request(sock: socket.socket) -> bytes:
    """One request, head and body; empty once the other side has closed. Not HTTP: what came."""
    data = b""
    while piece := sock.recv(65536):
        data += piece
        head, end, body = data.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        if not data.startswith(b"POST") or (end and len(body) >= int(length[1] if length else 0)):
            return data
    return b""
