"""Where the databases are: `DATABASE_URL` in all its forms, and `FALLBACK_DATABASE_URL`."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import psycopg2
import sqlalchemy as sa
from psycopg2.extensions import make_dsn

from otp_service.environ import Reader

_POSTGRES = "postgresql+psycopg2"
_FORMS = "postgresql://USER:PASSWORD@HOST:PORT/DATABASE or sqlite:///FILE"
_SEVERAL_HOSTS = re.compile(r"//(?P<user>[^@/]*@)?(?P<hosts>[^/?]*,[^/?]*)(?P<rest>[^?]*)\??(.*)")

_HOST = re.compile(r"(?:\[([^]]*)\]|([^:]*))(?::([0-9]*))?")
_PLACEHOLDER = re.compile(r"\[?(?:YOUR-)?PASSWORD\]?|your_.*")  # the documents', and Supabase's
_THIS_MACHINE = re.compile(r"|/.*|localhost|127\.[0-9.]+|::1")


def database_url(read: Reader, instance: Path) -> str:
    text = read.text("DATABASE_URL") or f"sqlite:///{instance / 'otp.db'}"
    text = _hosts_as_options(re.sub(r"^postgres(ql)?://", f"{_POSTGRES}://", text))
    url = _parsed(text)
    if url.drivername == _POSTGRES:
        _check_options(read, url)
        _warn_of_clear_text(read, url)
        if _PLACEHOLDER.fullmatch(url.password or ""):
            read.problems.append("DATABASE_URL still holds the example's placeholder")
    elif url.drivername != "sqlite":
        read.problems.append(f"DATABASE_URL must be {_FORMS}")
    elif not _names_a_file(url):
        read.problems.append("DATABASE_URL must name a file: sqlite:///FILE (codes outlive us)")
    return text


def fallback_url(read: Reader, database: str, instance: Path) -> str | None:
    """Where new verifications go while Postgres is away; None for nowhere."""
    text = read.text("FALLBACK_DATABASE_URL")
    if database.startswith("sqlite"):
        if text and text.lower() != "off":
            read.warnings.append("FALLBACK_DATABASE_URL is not used: DATABASE_URL is a local file")
        return None
    if text.lower() == "off":
        return None
    url = _parsed(text or f"sqlite:///{instance / 'fallback.db'}")
    if url.drivername != "sqlite" or not _names_a_file(url):
        read.problems.append("FALLBACK_DATABASE_URL must be sqlite:///FILE, or off")
    return url.render_as_string(hide_password=False)


def _parsed(text: str) -> sa.URL:
    try:
        return sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        return sa.URL.create("none")


def _names_a_file(url: sa.URL) -> bool:
    return url.database not in (None, "", ":memory:")


def _hosts_as_options(text: str) -> str:
    """libpq's ``//user@a:1,b:2/name`` in SQLAlchemy's way: ``//user@/name?host=a,b&port=1,2``."""
    several = _SEVERAL_HOSTS.search(text)
    if not several or not text.startswith(_POSTGRES):
        return text
    user, hosts, rest, options = several.groups()
    each = [host for part in hosts.split(",") if (host := _HOST.fullmatch(part))]
    if len(each) != hosts.count(",") + 1:
        return text
    names = ",".join(quote(host[1] or host[2]) for host in each)
    ports = ",".join(host[3] or "" for host in each)
    return f"{_POSTGRES}://{user or ''}{rest}?host={names}&port={ports}&{options}".rstrip("&")


def _check_options(read: Reader, url: sa.URL) -> None:
    for name in sorted(url.query):
        try:
            make_dsn(**{name: "1"})
        except psycopg2.ProgrammingError:
            read.problems.append(f"DATABASE_URL has an option that Postgres lacks: {name}")
    wanted = url.query.get("target_session_attrs", "read-write")
    if wanted not in ("any", "read-write", "primary"):
        read.problems.append("DATABASE_URL: target_session_attrs must be read-write: we write")


def _warn_of_clear_text(read: Reader, url: sa.URL) -> None:
    """Without an sslmode libpq would use TLS, but also go without, and say nothing."""
    hosts = ",".join([url.host or "", *url.normalized_query.get("host", ())]).split(",")
    if all(map(_THIS_MACHINE.fullmatch, hosts)) or read.text("PGSSLMODE"):
        return
    if "sslmode" not in url.query:
        read.warnings.append(
            "DATABASE_URL has no sslmode, so what goes to Postgres may travel in clear text: add "
            "?sslmode=require, or ?sslmode=disable if the network is your own"
        )
