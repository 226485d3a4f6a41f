"""The phones, and what they got: the newest messages, in memory."""

from __future__ import annotations

import random
import threading
import uuid
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from typing import Any

from otp_service.simulator.faults import Fault
from otp_service.simulator.options import Options

MOST_CALLBACKS = 100  # of a message, the newest


def now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass
class Draft:
    """What a send call asked for. ``copies`` is what the button copies, None without one."""

    provider: str  # gupshup, enterprise or meta
    channel: str
    phone: str  # +919876543210
    sender: str
    template: str
    params: list[str]
    text: str
    code: str
    language: str = ""  # Meta's requests name it; Gupshup's template id fixes it
    copies: str | None = None
    opaque: str | None = None  # Meta's biz_opaque_callback_data


@dataclass(frozen=True)
class Callback:
    """One try to tell a receipt. ``answer`` is the receiver's status, or why there is none."""

    receipt: str
    at: datetime
    answer: str


@dataclass
class Message(Draft):
    """``status`` is the last thing that was told or would be: refused, submitted, sent, …

    ``arrived``: whether the phone shows it.
    """

    id: str = ""
    whatsapp_id: str = ""
    at: datetime = field(default_factory=now)
    fault: str = "ok"
    answer: str = ""
    status: str = "submitted"
    arrived: bool = True
    callbacks: list[Callback] = field(default_factory=list)

    @property
    def random(self) -> random.Random:
        """This message's own luck: the same for the same seed, whatever others did meanwhile."""
        return random.Random(self.id)  # noqa: S311 (repeatable is the point)


class Inbox:
    """The newest ``options.keep`` messages. Safe between threads."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._messages: deque[Message] = deque(maxlen=options.keep)
        self._count = 0
        self.narrate: Callable[[str], object] = lambda line: None  # not a log: it tells codes
        self.version = 0  # grows with every change, so that a page knows whether to draw

    def add(self, draft: Draft, fault: Fault) -> Message:
        """Keep it, under ids that hang on the seed and on how many came before."""
        with self._changing():
            self._count += 1
            luck = random.Random(f"{self._options.seed}/{self._count}")  # noqa: S311
            message_id = _id(luck, draft.provider)
            message = Message(
                **vars(draft),
                id=message_id,
                whatsapp_id=_whatsapp_id(luck, message_id, self._options.quirks),
                fault=fault.name,
                arrived=fault.arrives,
                status="submitted" if fault.arrives or fault.receipts else "refused",
            )
            self._messages.append(message)
        return message

    def answered(self, message: Message, answer: str) -> None:
        with self._changing():
            message.answer = answer
        facts = f"{message.provider} {message.channel}, code {message.code}"
        self.narrate(f"{message.phone}  {facts}, fault {message.fault}: {answer}")

    def reached(self, message: Message, receipt: str) -> None:
        with self._changing():
            message.status = receipt

    def told(self, message: Message, callback: Callback) -> None:
        with self._changing():
            message.callbacks.append(callback)
            del message.callbacks[:-MOST_CALLBACKS]
        self.narrate(f"{message.phone}  told {callback.receipt}: {callback.answer}")

    def messages(self, phone: str = "") -> list[Message]:
        """Oldest first; of one phone if it is given."""
        with self._lock:
            return [m for m in self._messages if phone in ("", m.phone)]

    def find(self, message_id: str) -> Message | None:
        """By the id that the send call answered, or by WhatsApp's."""
        ids = (message_id,)
        return next((m for m in self.messages() if m.id in ids or m.whatsapp_id in ids), None)

    def dump(self, phone: str = "") -> list[dict[str, Any]]:
        """The same for JSON, oldest first."""
        messages = self.messages(phone)
        with self._lock:
            return [_plain(asdict(message)) for message in messages]

    def clear(self) -> None:
        """Ids go on from where they were: an id never comes twice."""
        with self._changing():
            self._messages.clear()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            self.version += 1
            yield


def _id(luck: random.Random, provider: str) -> str:
    if provider == "enterprise":
        return str(luck.randrange(10**9, 10**10))
    if provider == "meta":
        return _wamid(luck)
    return str(uuid.UUID(int=luck.getrandbits(128), version=4))


def _whatsapp_id(luck: random.Random, message_id: str, quirks: set[str]) -> str:
    if message_id.startswith("wamid."):
        return message_id
    if "uuid-ids" in quirks:
        return str(uuid.UUID(int=luck.getrandbits(128), version=4))
    return _wamid(luck, "gBEG" if "gbeg-ids" in quirks else "wamid.HBgM")


def _wamid(luck: random.Random, prefix: str = "wamid.HBgM") -> str:
    return prefix + b64encode(luck.randbytes(24)).decode().replace("/", "_").replace("+", "-")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
