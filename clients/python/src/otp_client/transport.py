"""One request and what came of it: no second try, no redirect, no exception that tells of it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

CONNECT_SECONDS = 3.0
CONNECTIONS = 20  # kept open at most, for as many threads


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: Mapping[str, object] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """``document`` is the JSON object of the answer, None if it has none."""

    status: int
    headers: Mapping[str, str]
    document: Mapping[str, object] | None = field(repr=False)

    @property
    def replayed(self) -> bool:
        """Whether it is the recorded answer to an earlier request with the same key."""
        return self.headers.get("Idempotent-Replayed") == "true"

    @property
    def retry_after(self) -> int | None:
        """Whole seconds (RFC 9110, 10.2.3: a number, or a date, as some proxies write it)."""
        text = self.headers.get("Retry-After", "")
        if text.isdecimal():
            return int(text)
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        return max(0, round((until - datetime.now(timezone.utc)).total_seconds()))


@dataclass(frozen=True)
class Lost:
    """No answer, or not all of it. ``hopeless``: another try would end in the same way."""

    why: str
    hopeless: bool = False


class _Key(AuthBase):
    """Also where there is no key: requests would send a password of ~/.netrc instead."""

    def __init__(self, key: str | None) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Transport:
    """Connections to one service, for any number of threads; each process has its own."""

    def __init__(self, base_url: str, key: str | None, user_agent: str) -> None:
        self.base_url = _checked_url(base_url)
        self._auth = _Key(_checked_key(key))
        self._user_agent = user_agent
        self._session = self._new_session()
        self._process = os.getpid()

    def exchange(self, request: Request, seconds: float) -> Reply | Lost:
        """``seconds`` is how long to wait for an answer, or for more of it."""
        try:
            response = self._of_this_process().request(
                request.method,
                self.base_url + request.path,
                json=request.body,
                headers=request.headers,
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
                allow_redirects=False,  # the key and the code are for this address
            )
        except requests.RequestException as error:  # its text and itself hold the request
            return Lost(type(error).__name__, hopeless=not _may_pass(error))
        return Reply(response.status_code, response.headers, _document(response.content))

    def close(self) -> None:
        self._session.close()

    def _of_this_process(self) -> requests.Session:
        """A process that was forked must not speak on the connections of its parent."""
        if self._process != os.getpid():
            self._session, self._process = self._new_session(), os.getpid()
        return self._session

    def _new_session(self) -> requests.Session:
        session = requests.Session()
        session.auth = self._auth
        session.headers["User-Agent"] = self._user_agent
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS))
        return session


def _may_pass(error: requests.RequestException) -> bool:
    """Not so a certificate that is wrong, or a request that can't be written."""
    found = requests.exceptions
    passing = (found.ConnectionError, found.Timeout, found.ChunkedEncodingError)
    return isinstance(error, passing) and not isinstance(error, found.SSLError)


def _document(content: bytes) -> Mapping[str, object] | None:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _checked_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("base_url must be as https://otp.example.com")
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("base_url must have no user, query or fragment")
    return text.rstrip("/")


def _checked_key(key: str | None) -> str | None:
    return visible("api_key", key.strip()) if key and key.strip() else None


def visible(name: str, value: str) -> str:
    """What travels in a header. Said here and without the value: requests would show it."""
    if not re.fullmatch("[!-~]+", value):
        raise ValueError(f"{name} must be of visible ASCII characters")
    return value
