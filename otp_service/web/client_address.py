"""Whose request it is: the peer's address, or what a trusted proxy says of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from flask import request

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NOBODY = IPv4Address(0)
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::[0-9]{1,5})?|([0-9.]+):[0-9]{1,5}")


def caller(proxies: Sequence[Network]) -> Address:
    """The address that the request came from.

    ``X-Forwarded-For`` counts only if the peer is one of ``proxies``. Each proxy adds, on the
    right, whom it heard: so it is read from there, and the first that is no proxy is the caller.
    What stands further left anyone may have written. No other header is looked at.
    """
    peer = _address(request.remote_addr or "") or _NOBODY
    if not within(peer, proxies):
        return peer
    forwarded = request.headers.get("X-Forwarded-For", "")
    return _first_stranger(forwarded.split(","), proxies) or peer


def within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _first_stranger(entries: Sequence[str], proxies: Sequence[Network]) -> Address | None:
    """From the right; None if something else than an address, or nobody, comes first."""
    for entry in reversed(entries):
        address = _address(entry)
        if address is None or not within(address, proxies):
            return address
    return None


def _address(text: str) -> Address | None:
    """With or without a port. IPv4 that is written as IPv6 is IPv4."""
    bare = text.strip(" \t")
    if with_port := _WITH_PORT.fullmatch(bare):
        bare = with_port[1] or with_port[2] or ""
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
