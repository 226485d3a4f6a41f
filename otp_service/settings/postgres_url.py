"""A Postgres's URL in all its forms, and as SQLAlchemy has it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, unquote

import sqlalchemy as sa

from otp_service.environment import Reader
from otp_service.settings import libpq_options

FORMS = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:///FILE"
_POSTGRES = "postgresql+psycopg2"
_ENCODE = (
    "DATABASE_URL: percent-encode the password, and what else has such characters: @ is %40, "
    "/ is %2F, ? is %3F, % is %25"
)
# RFC 3986, appendix B. libpq knows no fragment: a # is a character like any other.
_PARTS = re.compile(
    r"postgres(?:ql)?(?:\+psycopg2)?://(?P<authority>[^/?]*)(?P<path>/[^?]*)?(?:\?(?P<query>.*))?",
    re.S,
)
_HOST = re.compile(r"(?:\[([^]]*)\]|([^:@\[\]]*))(?::([0-9]*))?")
_PLACEHOLDER = re.compile(r"\[?(?:YOUR-)?PASSWORD\]?|your_.*")  # the documents', and Supabase's
_THIS_MACHINE = re.compile(r"|/.*|localhost|127\.[0-9.]+|::1")


def read_url(read: Reader, text: str) -> str | None:
    """None if it is the URL of something else. What is wrong with it is noted."""
    parts = _PARTS.fullmatch(text)
    return _postgres_url(read, **parts.groupdict(default="")) if parts else None


def _postgres_url(read: Reader, authority: str, path: str, query: str) -> str:
    """What SQLAlchemy reads as what RFC 3986 says: user information first, then the hosts.

    Its own reading takes the first @ anywhere for the end of the password, and the first comma in
    it for several hosts.
    """
    user_information, at, hosts = authority.rpartition("@")
    if "@" in user_information + path:  # a database's name hardly has one
        read.problems.append(_ENCODE)
        return f"{_POSTGRES}://"
    where = _where(hosts)
    if where is None:  # its rest may be a password's
        hidden = not at and "@" in query
        read.problems.append(_ENCODE if hidden else f"DATABASE_URL must be {FORMS}")
        return f"{_POSTGRES}://"
    user, has_password, password = user_information.partition(":")
    url = sa.URL.create(
        _POSTGRES,
        username=unquote(user) or None,
        password=unquote(password) if has_password else None,
        database=unquote(path[1:]) or None,
        **where,
    ).update_query_pairs(parse_qsl(query, keep_blank_values=True), append=True)
    read.redact(str(url.password or ""), str(url.query.get("password", "")))
    libpq_options.check(read, url)
    _warn_of_clear_text(read, url)
    if _PLACEHOLDER.fullmatch(url.password or ""):
        read.problems.append("DATABASE_URL still holds the example's placeholder")
    return url.render_as_string(hide_password=False)


def _where(hosts: str) -> dict[str, Any] | None:
    """Arguments of `sa.URL.create`; None if these are no hosts.

    SQLAlchemy has several of them, and a socket's folder, as options: ``?host=a,b&port=1,2``.
    """
    each = [_HOST.fullmatch(host) for host in hosts.split(",")]
    found = [(unquote(host[1] or host[2]), host[3] or "") for host in each if host]
    if len(found) < len(each) or not all(libpq_options.is_port(port) for _, port in found):
        return None
    names, ports = zip(*found, strict=True)
    if len(found) == 1 and not names[0].startswith("/"):
        return {"host": names[0] or None, "port": int(ports[0]) if ports[0] else None}
    options = {"host": ",".join(names), "port": ",".join(ports)}
    return {"query": {name: value for name, value in options.items() if value}}


def _warn_of_clear_text(read: Reader, url: sa.URL) -> None:
    """Without an sslmode libpq would use TLS, but also go without, and say nothing."""
    hosts = ",".join([url.host or "", *url.normalized_query.get("host", ())]).split(",")
    if all(map(_THIS_MACHINE.fullmatch, hosts)) or read.given("PGSSLMODE"):
        return
    if "sslmode" not in url.query:
        read.warnings.append(
            "DATABASE_URL has no sslmode, so what goes to Postgres may travel in clear text: add "
            "?sslmode=require, or ?sslmode=disable if the network is your own"
        )
