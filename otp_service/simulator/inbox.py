"""The phones, and what they got: the newest messages, in memory."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Any

from otp_service.simulator.fault_table import Fault
from otp_service.simulator.messages import Callback, Draft, Message, new_id, new_whatsapp_id
from otp_service.simulator.options import Options

MOST_CALLBACKS = 100  # of a message, the newest


class Inbox:
    """The newest ``options.keep`` messages. Safe between threads."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._lock = threading.Lock()
        self._messages: deque[Message] = deque(maxlen=options.keep)
        self._count = 0
        self.narrate: Callable[[str], object] = lambda line: None  # not a log: it shows codes
        self.version = 0  # grows with every change, so that a page knows whether to draw

    def add(self, draft: Draft, fault: Fault) -> Message:
        """Keep it, under ids that hang on the seed and on how many came before."""
        with self._changing():
            self._count += 1
            rng = random.Random(f"{self._options.seed}/{self._count}")  # noqa: S311
            message_id = new_id(rng, draft.provider)
            message = Message(
                **vars(draft),
                id=message_id,
                whatsapp_id=new_whatsapp_id(rng, message_id, self._options.quirks),
                fault=fault.name,
                arrived=fault.arrives,
                status="submitted" if fault.arrives or fault.receipts else "refused",
            )
            self._messages.append(message)
        return message

    def set_answer(self, message: Message, answer: str) -> None:
        with self._changing():
            message.answer = answer
        facts = f"{message.provider} {message.channel}, code {message.code}"
        self.narrate(f"{message.phone}  {facts}, fault {message.fault}: {answer}")

    def set_status(self, message: Message, status: str) -> None:
        with self._changing():
            message.status = status

    def add_callback(self, message: Message, callback: Callback) -> None:
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


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
