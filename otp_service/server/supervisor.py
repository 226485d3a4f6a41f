"""Serving in several processes: children that are replaced when they die, and go when told to."""

from __future__ import annotations

import gc
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from otp_service import log
from otp_service.server.serving import STOP_SIGNALS


def serve_in_children(
    serve_at: Callable[[int], None], listener: socket.socket, processes: int
) -> None:
    """Serve in children, each at a place of its own, from 0 on; replace one that dies."""
    gc.freeze()  # what is imported by now stays shared: a collection would write to all of it
    children = _Children(serve_at, listener)
    for number in STOP_SIGNALS:
        signal.signal(number, children.stop)
    for place in range(processes):
        children.start(place)
    children.wait()
    log.info("all server processes stopped", extra={"processes": processes})


class _Children:
    """Those that run, and their places. Each ends by itself when this process is gone, however
    that came: the pipe that only this process can write to is closed then.
    """

    def __init__(self, serve_at: Callable[[int], None], listener: socket.socket) -> None:
        self._serve_at, self._listener = serve_at, listener
        self._places: dict[int, int] = {}  # by process id
        self._stopping = False
        self._parent_is_there, self._held = os.pipe()

    def start(self, place: int) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)  # none comes between fork and note
        child = os.fork()
        if child:
            self._places[child] = place
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
            return
        for number in STOP_SIGNALS:  # not this parent's way of stopping
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)
        os.close(self._held)
        threading.Thread(target=self._follow_parent, name="parent", daemon=True).start()
        self._serve_at(place)
        os._exit(0)

    def stop(self, number: int, _frame: object) -> None:
        """A signal's handler: the children get the signal, too."""
        self._stopping = True
        self._listener.close()  # else who connects after they have closed theirs waits in vain
        for child in self._places:
            with suppress(ProcessLookupError):
                os.kill(child, number)

    def wait(self) -> None:
        """Until all have ended that were told to."""
        while self._places:
            child, status = os.wait()
            place = self._places.pop(child)
            if not self._stopping:
                log.error("a server process ended; starting another", extra={"status": status})
                time.sleep(1)
            if not self._stopping:  # it may be by now
                self.start(place)

    def _follow_parent(self) -> None:
        os.read(self._parent_is_there, 1)
        log.error("the parent of the server processes is gone: stopping")
        os.kill(os.getpid(), signal.SIGTERM)
