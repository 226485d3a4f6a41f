"""The simulator as one object: its options, its server, and what a test asks of it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from flask import Flask

from otp_service.server.waitress_server import Server, listen
from otp_service.simulator import control_api, phone_page
from otp_service.simulator.base_provider import Carrier
from otp_service.simulator.inbox import Message
from otp_service.simulator.options import Options
from otp_service.simulator.providers import gupshup, gupshup_sms, meta
from otp_service.simulator.script import international
from otp_service.simulator.subscription import subscribe

THREADS = 32  # each stalled send holds one
MAX_BODY = 32 * 1024  # bytes; a thousand messages are kept


@dataclass(kw_only=True, repr=False, eq=False)
class Simulator(Options):
    """Listens as soon as it is made, answers from `start` or ``with`` on. See the package."""

    port: int = 0  # any free one

    def __post_init__(self) -> None:
        super().__post_init__()
        listener = listen(self.host, self.port)
        self._carrier = Carrier(self)
        self.port = listener.getsockname()[1]
        self._server = Server(_make_app(self._carrier), listener, THREADS)
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

    def messages(self, phone: str = "") -> list[Message]:
        """Every send that was understood, refused ones too, oldest first; of one phone if given."""
        return self._carrier.inbox.messages(phone and international(phone))

    def last_code(self, phone: str) -> str | None:
        """The code of the newest message that this phone shows, by whatever channel."""
        arrived = [message for message in self.messages(phone) if message.arrived]
        return arrived[-1].code if arrived else None

    def script(self, destination: str = "", **entry: Any) -> None:
        """A fault to come: ``fault`` or ``answer`` and ``receipts``; ``next`` sends, or all;
        ``channel``, ``early``. ValueError says what can't be understood.
        """
        self._carrier.script.add([{"destination": destination, **entry}])

    def receipt(self, message: Message | str, receipt: str) -> bool:
        """Tell a receipt of a message (or of the one with this id) now; whether it was taken."""
        found = self._carrier.inbox.find(message) if isinstance(message, str) else message
        if found is None:
            raise LookupError(f"no message {message}")
        return self._carrier.receipt(found, receipt)

    def subscribe(self, provider: str) -> bool:
        """Try the callback URL of ``gupshup`` or ``meta`` as saving it does."""
        return subscribe(provider, self)

    def settle(self, timeout: float = 10) -> None:
        """Wait until no receipt is to come. TimeoutError if there is one yet after ``timeout``."""
        if not self._carrier.courier.settle(timeout):
            raise TimeoutError("receipts are still to come")

    def reset(self) -> None:
        """Forget messages, script and receipts to come. Ids go on: none comes twice."""
        self._carrier.clear()

    def narrate(self, tell: Callable[[str], object]) -> None:
        """Have a line for each send and each callback. They hold codes and numbers."""
        self._carrier.inbox.narrate = tell

    def run(self) -> None:
        """Serve in this thread until `stop`."""
        try:
            self._server.run()
        finally:
            self._carrier.close()

    def start(self) -> None:
        self._thread = threading.Thread(target=self.run, name="simulator", daemon=True)
        self._thread.start()

    def stop(self, *_: object) -> None:
        """Safe in a signal handler. Stalls end, and receipts to come are not told."""
        self._carrier.end_stalls()
        self._server.stop()

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        if self._thread:
            self._thread.join()


def _make_app(carrier: Carrier) -> Flask:
    app = Flask(__name__, static_folder="../static", template_folder="../templates")
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    dialects: dict[str, gupshup.Gupshup | gupshup_sms.Enterprise | meta.Meta] = {
        "gupshup": gupshup.Gupshup(carrier),
        "enterprise": gupshup_sms.Enterprise(carrier),
        "meta": meta.Meta(carrier),
    }
    for name, dialect in dialects.items():
        carrier.dialects[name] = dialect
        app.register_blueprint(dialect.blueprint())
    app.register_blueprint(control_api.blueprint(carrier))
    app.register_blueprint(phone_page.blueprint(carrier))
    return app
