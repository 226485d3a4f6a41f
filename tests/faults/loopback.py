"""This machine's own network."""

from __future__ import annotations

import itertools
import os
import random
import socket
from contextlib import suppress

LOOPBACK = "127.0.0.1"
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
FIRST = 20000 + WORKER % 12 * 1000
PORTS = itertools.cycle(random.SystemRandom().sample(range(FIRST, FIRST + 1000), 1000))


def free_port() -> int:
    """A port that stays ours while nobody listens on it.

    It lies below those that systems give to outgoing connections: one of these could take the
    port in the meantime, or a client that keeps trying it could end up connected to itself.
    Other processes of the same run (pytest -n) take theirs from other thousands, and here none
    comes again before all others have: two servers may start at once.
    """
    while True:
        port = next(PORTS)
        with suppress(OSError), socket.socket() as sock:
            sock.bind((LOOPBACK, port))
            return port
