"""The simulator as one object: its options, its server, and what a test asks of it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask

from otp_service.server.waitress_server import Server, listen
from otp_service.simulator import control_api, event_page, event_receiver, phone_page
from otp_service.simulator.base_provider import BaseProvider
from otp_service.simulator.events import Event
from otp_service.simulator.messages import Message, international
from otp_service.simulator.options import Options
from otp_service.simulator.providers.gupshup import Gupshup
from otp_service.simulator.providers.gupshup_sms import GupshupSms
from otp_service.simulator.providers.meta import Meta
from otp_service.simulator.state import State
from otp_service.simulator.subscription import subscribe

THREADS = 32
PROVIDERS = (Gupshup, GupshupSms, Meta)
MAX_BODY = 32 * 1024  # bytes; a thousand messages are kept, and as many events


@dataclass(kw_only=True, repr=False, eq=False)
class Simulator(Options):
    """Listens as soon as it is made, answers from `start` or ``with`` on. See the package."""

    port: int = 0  # any free one

    def __post_init__(self) -> None:
        super().__post_init__()
        listener = listen(self.host, self.port)
        self._state = State(self)
        self._providers = {each.name: each(self._state) for each in PROVIDERS}
        self.port = listener.getsockname()[1]
        self._server = Server(_make_app(self._state, self._providers), listener, THREADS)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def gupshup_url(self) -> str:
        """For GUPSHUP_API_URL."""
        return f"{self.url}/wa/api/v1/template/msg"

    @property
    def sms_url(self) -> str:
        """For GUPSHUP_SMS_API_URL."""
        return f"{self.url}/GatewayAPI/rest"

    @property
    def meta_url(self) -> str:
        """For META_API_URL."""
        return f"{self.url}/v23.0"

    @property
    def events_url(self) -> str:
        """For ``./otp events add``."""
        return f"{self.url}/events"

    def events(self, about: str = "") -> list[Event]:
        """Every event that came, refused ones too, in the order of their coming; of one
        verification or message if its id is given.
        """
        return self._state.events.events(about)

    def messages(self, phone: str = "") -> list[Message]:
        """Every send that was understood, refused ones too, oldest first; of one phone if given."""
        return self._state.inbox.messages(phone and international(phone))

    def last_code(self, phone: str) -> str | None:
        """The code of the newest message that this phone shows, by whatever channel."""
        arrived = [message for message in self.messages(phone) if message.arrived]
        return arrived[-1].code if arrived else None

    def script(self, destination: str = "", **entry: Any) -> None:
        """A fault to come: ``fault`` or ``answer`` and ``receipts``; ``next`` sends, or all;
        ``channel``, ``early``. ValueError says what can't be understood.
        """
        self._state.script.add([{"destination": destination, **entry}])

    def receipt(self, message: Message | str, receipt: str) -> bool:
        """Send a receipt of a message (or of the one with this id) now; whether it was taken."""
        found = self._state.inbox.find(message) if isinstance(message, str) else message
        if found is None:
            raise LookupError(f"no message {message}")
        return self._providers[found.provider].send_receipt(found, receipt)

    def subscribe(self, provider: str) -> bool:
        """Try the callback URL of ``gupshup`` or ``meta`` as saving it does."""
        return subscribe(provider, self)

    def settle(self, timeout: float = 10) -> None:
        """Wait until no receipt is to come. TimeoutError if there is one yet after ``timeout``."""
        if not self._state.callbacks.settle(timeout):
            raise TimeoutError("receipts are still to come")

    def reset(self) -> None:
        """Forget messages, events, script and receipts to come. Ids go on: none comes twice."""
        self._state.clear()

    def narrate(self, show: Callable[[str], object]) -> None:
        """Have a line for each send, callback and event. They hold codes and numbers."""
        self._state.inbox.narrate = self._state.events.narrate = show

    def run(self) -> None:
        """Serve in this thread until `stop`."""
        try:
            self._server.run()
        finally:
            self._state.callbacks.close()

    def start(self) -> None:
        self._thread = threading.Thread(target=self.run, name="simulator", daemon=True)
        self._thread.start()

    def stop(self, *_: object) -> None:
        """Safe in a signal handler. Stalls end, and receipts to come are not sent."""
        self._state.stopping.set()
        self._server.stop()

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._thread:
            self._thread.join()


def _make_app(state: State, providers: Mapping[str, BaseProvider]) -> Flask:
    app = Flask(__name__, static_folder="../static", template_folder="../templates")
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    for provider in providers.values():
        app.register_blueprint(provider.blueprint())
    app.register_blueprint(control_api.blueprint(state, providers))
    for part in (phone_page, event_receiver, event_page):
        app.register_blueprint(part.blueprint(state))
    return app
