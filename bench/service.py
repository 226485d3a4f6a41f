"""The service as it is measured: everything on, eight keys, as an operator would start it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.progress import say
from bench.running import Broken, Running, free_port, running
from otp_service import create_app
from otp_service.settings import variables

KEYS = 8


@dataclass(frozen=True)
class Store:
    """A database with the service's schema and eight keys in it.

    ``settings`` are what differs from the defaults.
    """

    folder: Path
    settings: dict[str, str]
    keys: list[str] = field(default_factory=list)

    @property
    def log(self) -> Path:
        return self.folder / "log.json"

    @contextmanager
    def serving(self, processes: int, server: str, **settings: str) -> Iterator[Running]:
        """`python wsgi.py` in so many processes."""
        port = free_port()
        own = {"PORT": str(port), "WEB_CONCURRENCY": str(processes)}
        if server != "waitress":
            own["OTP_SERVER"] = server
        # Empty means the default, whatever an .env beside the code says.
        environ = dict.fromkeys(variables({}), "") | self.settings | own | settings
        with running(["wsgi.py"], port, os.environ | environ, self.log) as found:
            yield found
        for event, count in self._troubles().most_common(5):
            if count > processes:  # not what each tells at its start
                say(f"  the log has {count} times: {event}")
        self.log.unlink()

    def _troubles(self) -> Counter[str]:
        """Of one life of the server: what it warned of, and how often."""
        lines = map(json.loads, self.log.read_text().splitlines())
        levels = ("warning", "error", "critical")
        return Counter(str(line["event"]) for line in lines if line["level"] in levels)


def make_store(folder: Path, url: str, **settings: str) -> Store:
    """With its schema and its keys, made by the operator's commands."""
    folder.mkdir()
    own = {
        "DATABASE_URL": url,
        "FALLBACK_DATABASE_URL": f"sqlite:///{folder / 'fallback.db'}",
        "OTP_SECRET": bytes(range(0x5E, 0x7E)).hex(),
        "API_KEYS": "required",
        "OTP_CLIENT_REQUESTS": "100000/1s",  # eight clients do what a thousand would
        "LOG_LEVEL": "info",
        "LOG_FORMAT": "json",
    }
    store = Store(folder, own | settings)
    commands = create_app(store.settings, instance=folder).test_cli_runner()
    _command(commands.invoke(args=["otp", "init-db"]).exit_code, "init-db")
    for number in range(KEYS):
        made = commands.invoke(args=["otp", "keys", "create", f"client-{number}"])
        _command(made.exit_code, "keys create")
        store.keys.append(next(word for word in made.output.split() if word.startswith("otp_")))
    return store


def _command(exit_code: int, name: str) -> None:
    if exit_code:
        raise Broken(f"otp {name} ended with {exit_code}")
