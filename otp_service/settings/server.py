"""How the server runs: where it listens, with how many hands, and what it writes down."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from otp_service.domain.callbacks import Network
from otp_service.environment import Reader


@dataclass(frozen=True)
class ServerSettings:
    """``worker``: whether each process also sends what waits; ``threads`` are those of each.

    For ``shutdown_delay`` seconds after SIGTERM requests are still taken: proxies learn of it.
    """

    host: str
    port: int
    server: str
    processes: int
    threads: int
    worker: bool
    shutdown_delay: int
    trusted_proxies: tuple[Network, ...]
    log_level: str
    log_format: str


def read_server(read: Reader, sandbox: bool) -> ServerSettings:
    return ServerSettings(
        host=_host(read, sandbox),
        port=read.number("PORT", "Where to listen; 0 is any that is free", 8000, 0, 65535),
        server=_server(read),
        processes=read.number("WEB_CONCURRENCY", "Processes of the server", 1, 1, 64),
        threads=read.number("WAITRESS_THREADS", "Threads of each process", 16, 1, 256),
        worker=read.switch("OTP_WORKER", "Whether the server also sends what waits", True),
        shutdown_delay=read.number(
            "OTP_SHUTDOWN_DELAY_SECONDS", "How long SIGTERM is told by /ready first", 0, 0, 60
        ),
        trusted_proxies=_trusted_proxies(read),
        log_level=read.choice(
            "LOG_LEVEL", "What is logged", "info", ("debug", "info", "warning", "error")
        ),
        log_format=read.choice(
            "LOG_FORMAT",
            "How it is logged; auto is console on a terminal",
            "auto",
            ("auto", "json", "console"),
        ),
    )


def _host(read: Reader, sandbox: bool) -> str:
    host = read.text("HOST", "Where to listen", "127.0.0.1")
    if sandbox and not _is_loopback(host):
        read.warnings.append(
            "HOST is open to other machines, and anyone who can connect can read every code at "
            "/sandbox: use 127.0.0.1, or let a container publish its port there only"
        )
    return host


def _server(read: Reader) -> str:
    name = "OTP_SERVER"
    meaning = "What serves: waitress, or granian from requirements-granian.txt"
    chosen = read.choice(name, meaning, "waitress", ("waitress", "granian"))
    if chosen == "granian":
        read.warnings.append(
            f"{name}=granian can't tell a line feed alone from a line's end, nor %2F from a slash, "
            "which others may read as another request: put a proxy in front that writes requests "
            "anew, as nginx does"
        )
    return chosen


def _is_loopback(host: str) -> bool:
    """Whether only this machine can connect to it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _trusted_proxies(read: Reader) -> tuple[Network, ...]:
    name = "TRUSTED_PROXIES"
    meaning = "Addresses and networks of proxies, believed when they say whose request it is"
    found = read.networks(name, meaning)
    if any(network.prefixlen == 0 for network in found):
        read.problems.append(
            f"{name} trusts every address, so any caller could claim any address: name your "
            "proxies' own"
        )
    return found
