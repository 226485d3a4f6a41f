"""What the providers, the pages and the API for tests share."""

from __future__ import annotations

import threading

from otp_service.server.workers import wait_elsewhere
from otp_service.simulator.callbacks import CallbackSender
from otp_service.simulator.events import EventLog
from otp_service.simulator.inbox import Inbox
from otp_service.simulator.options import Options
from otp_service.simulator.script import Script


class State:
    """Safe between threads."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.inbox = Inbox(options)
        self.events = EventLog(options)
        self.script = Script()
        self.callbacks = CallbackSender(options, self.inbox)
        self.stopping = threading.Event()  # ends stalls

    def clear(self) -> None:
        """Forget the messages, the events, the script and what was planned."""
        self.script.clear()
        self.callbacks.forget()
        self.inbox.clear()
        self.events.clear()

    def stall(self, seconds: float) -> bool:
        """Wait. Whether the simulator was stopped meanwhile."""
        with wait_elsewhere():
            return self.stopping.wait(seconds)
