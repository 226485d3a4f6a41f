"""The options of `DATABASE_URL`, as libpq takes them: what can never work is found at the start.

PostgreSQL's manual, "Parameter Key Words".
"""

from __future__ import annotations

import ssl
from pathlib import Path

import psycopg2
import sqlalchemy as sa
from psycopg2.extensions import make_dsn

from otp_service.environment import Reader

_VERSIONS = "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"
_CHOICES = {
    name: values.split()
    for name, values in {
        "sslmode": "disable allow prefer require verify-ca verify-full",
        "sslnegotiation": "postgres direct",
        "sslcertmode": "disable allow require",
        "channel_binding": "disable prefer require",
        "gssencmode": "disable prefer require",
        "load_balance_hosts": "disable random",
        "ssl_min_protocol_version": _VERSIONS,
        "ssl_max_protocol_version": _VERSIONS,
        "sslsni": "0 1",
        "sslcompression": "0 1",
        "keepalives": "0 1",
        "gssdelegation": "0 1",
    }.items()
}
_NUMBERS = (
    "connect_timeout",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
    "tcp_user_timeout",
)
_FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
_WRITABLE = ("any", "read-write", "primary")
_DEFAULT_ROOT = Path(".postgresql") / "root.crt"  # in the home folder


def check(read: Reader, url: sa.URL) -> None:
    """Add what is wrong with them to ``read.problems``. No value is quoted."""
    for name, values in sorted(url.normalized_query.items()):
        if wrong := _unknown(name) or _wrong(name, tuple(values)):
            read.problems.append(f"DATABASE_URL{wrong}")
    options = {name: values[0] for name, values in url.normalized_query.items()}
    mode = options.get("sslmode") or read.given("PGSSLMODE")
    root = options.get("sslrootcert", "")
    if (root or read.given("PGSSLROOTCERT")) == "system":
        if mode not in ("", "verify-full"):
            read.problems.append("DATABASE_URL: sslrootcert=system needs sslmode=verify-full")
    elif mode in ("verify-ca", "verify-full"):
        _check_root(read, root)


def _unknown(name: str) -> str:
    try:
        make_dsn(**{name: "1"})
    except psycopg2.ProgrammingError:
        # One that is no word is more likely a piece of a password.
        shown = f": {name}" if name.replace("_", "").isalpha() and name.isascii() else ""
        return f" has an option that Postgres lacks{shown}"
    return ""


def _wrong(name: str, values: tuple[str, ...]) -> str:
    """What is wrong with the values of this option, if anything is."""
    if len(values) > 1 and name != "host":  # SQLAlchemy's way to name several
        return f" has {name} more than once"
    value, fine, wanted = values[0], True, ""
    if name in _CHOICES:
        fine, wanted = value in _CHOICES[name], f"one of: {', '.join(_CHOICES[name])}"
    elif name in _NUMBERS:
        fine, wanted = value.isascii() and value.isdigit(), "a whole number"
    elif name == "port":
        fine, wanted = all(map(is_port, value.split(","))), "a number from 1 to 65535"
    elif name == "target_session_attrs":
        fine, wanted = value in _WRITABLE, "read-write: we write"
    if value and not fine:  # an empty one is libpq's default
        return f": {name} must be {wanted}"
    return _unreadable(name, value) if value and name in _FILES else ""


def is_port(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and 0 < int(text) < 65_536)


def _unreadable(name: str, file: str) -> str:
    if (name, file) == ("sslrootcert", "system") or (name == "sslkey" and ":" in file):
        return ""  # no files: the machine's own authorities, an engine's key
    try:
        with Path(file).open("rb"):
            return ""
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "not a path"
        return f": the file of {name} can't be read: {why}"


def _check_root(read: Reader, chosen: str) -> None:
    """The certificates that a server's is checked against."""
    file = chosen or read.given("PGSSLROOTCERT") or Path.home() / _DEFAULT_ROOT
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    except ssl.SSLError:
        read.problems.append("DATABASE_URL: the file of sslrootcert holds no certificate")
    except (OSError, ValueError):
        if not chosen:  # else it is told already
            read.problems.append(
                "DATABASE_URL: sslmode verify-ca and verify-full need sslrootcert: the file of the "
                "authority that signed the server's certificate, or system for the machine's own"
            )
