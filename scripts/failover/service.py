"""The service as an operator runs it: two processes, API keys, a fallback, Gupshup simulated."""

from __future__ import annotations

import json
import os
import secrets
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from otp_service.settings import variables
from scripts.failover.cluster import ROOT, Surprise, until

SIMULATOR = "http://127.0.0.1:9000"
CLIENTS = 4
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Service:
    """``name`` says how it reaches Postgres, and is its database there."""

    name: str
    database_url: str
    port: int
    folder: Path
    keys: list[str] = field(default_factory=list)
    support: str = ""
    secret: str = field(default_factory=lambda: secrets.token_hex(32))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def settings(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.database_url,
            "FALLBACK_DATABASE_URL": f"sqlite:///{self.folder / 'fallback.db'}",
            "OTP_SECRET": self.secret,
            "API_KEYS": "required",
            "OTP_CLIENT_REQUESTS": "1000/1s",
            "OTP_EXPIRY_MINUTES": "2",  # so that the fallback drains before the test ends
            "GUPSHUP_API_URL": f"{SIMULATOR}/wa/api/v1/template/msg",
            "GUPSHUP_API_KEY": "a-simulated-key-0123",
            "GUPSHUP_SOURCE": "917834811114",
            "GUPSHUP_TEMPLATE_ID": "a-template",
            "GUPSHUP_SRC_NAME": "DemoApp",
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "2",
            "LOG_FORMAT": "json",
        }

    def start(self) -> None:
        """Its schema and its keys, by the operator's commands, and the server."""
        self._command("init-db")
        for number in range(CLIENTS):
            told = self._command("keys", "create", f"client-{number}")
            self.keys.append(_key(told))
        self.support = _key(self._command("keys", "create", "support", "--scope", "support"))
        with self.log.open("ab") as log:
            subprocess.Popen([sys.executable, "wsgi.py"], cwd=ROOT, env=self._environ(), stderr=log)
        until(lambda: self.ready().get("database") == "ok", f"{self.name}: /ready")

    def ready(self) -> dict[str, Any]:
        """The state that /ready tells, {} if it does not answer."""
        try:
            with _opener.open(f"{self.url}/ready", timeout=10) as answer:
                told = json.load(answer)
        except urllib.error.HTTPError as refused:
            told = json.load(refused)
        except (OSError, ValueError):
            return {}
        state: dict[str, Any] = told.get("data") or told["error"]["state"]
        return state

    def fallback_sql(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.folder / "fallback.db")) as connection:
            return connection.execute(statement).fetchall()

    def _environ(self) -> dict[str, str]:
        """Empty means the default, whatever an .env beside the code says."""
        return os.environ | dict.fromkeys(variables({}), "") | self.settings

    def _command(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "otp_service", *words],
            cwd=ROOT, env=self._environ(), capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise Surprise(f"{self.name}: otp {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout


def _key(told: str) -> str:
    return next(word for word in told.split() if word.startswith("otp_"))
