"""This machine's own network."""

from __future__ import annotations

import random
import socket
from contextlib import suppress

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that stays ours while nobody listens on it.

    It lies below those that systems give to outgoing connections: one of these could take the
    port in the meantime, or a client that keeps trying it could end up connected to itself.
    """
    while True:
        port = random.SystemRandom().randrange(20000, 32768)
        with suppress(OSError), socket.socket() as sock:
            sock.bind((LOOPBACK, port))
            return port
