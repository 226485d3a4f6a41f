"""Which addresses may get events, and how they are shown."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

import requests

LONGEST = 2048
_OWN_NETWORK = (".internal", ".local", ".localhost", ".svc")


def problem_with(url: str) -> str | None:
    """Why events can't go there; None if they can."""
    if len(url) > LONGEST or not re.fullmatch(r"[!-~]+", url):
        return f"must be an address of at most {LONGEST} ASCII characters, without blanks"
    try:
        parts = urlsplit(url)
        requests.Request("POST", url).prepare()
        is_whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole:
        return "must be an address such as https://example.com/otp-events"
    if parts.username is not None or parts.password is not None:
        return "must have no user name or password: the signature shows who calls"
    if parts.fragment:
        return "must have no part after #: it is never sent"
    if parts.scheme == "http" and not _is_own_network(str(parts.hostname)):
        return "must begin with https:// (http:// is for hosts of your own network only)"
    return None


def _is_own_network(host: str) -> bool:
    """A name that only means something there, or a private address. A number alone is no name:
    it is read as an address, of anybody's.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        is_number = re.fullmatch(r"0x[0-9a-f]*|[0-9]+", host)
        return not is_number and ("." not in host or host.endswith(_OWN_NETWORK))
    return address.is_private and not address.is_link_local and not address.is_unspecified


def shown(url: str) -> str:
    """Without the values of its query, which may be a receiver's own secrets; what has no name is
    a value.
    """
    parts: SplitResult = urlsplit(url)
    return parts._replace(query="&".join(map(_name_of, parts.query.split("&")))).geturl()


def _name_of(parameter: str) -> str:
    name, is_named, _ = parameter.partition("=")
    return f"{name}=…" if is_named else "…" * bool(name)
