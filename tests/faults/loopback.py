"""This machine's own network."""

from __future__ import annotations

import os
import random
import socket
from contextlib import suppress

LOOPBACK = "127.0.0.1"
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])


def free_port() -> int:
    """A port that stays ours while nobody listens on it.

    It lies below those that systems give to outgoing connections: one of these could take the
    port in the meantime, or a client that keeps trying it could end up connected to itself.
    Other processes of the same run (pytest -n) take theirs from other thousands.
    """
    first = 20000 + WORKER % 12 * 1000
    while True:
        port = random.SystemRandom().randrange(first, first + 1000)
        with suppress(OSError), socket.socket() as sock:
            sock.bind((LOOPBACK, port))
            return port
