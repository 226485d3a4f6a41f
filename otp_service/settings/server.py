"""How the server runs: where it listens, with how many hands, and what it writes down."""

from __future__ import annotations

from dataclasses import dataclass

from otp_service.environment import Reader
from otp_service.settings.security import Network, trusted_proxies


@dataclass(frozen=True)
class ServerSettings:
    """``worker``: whether each process also sends what waits; ``threads`` are those of each."""

    host: str
    port: int
    processes: int
    threads: int
    worker: bool
    trusted_proxies: tuple[Network, ...]
    log_level: str
    log_format: str


def server(read: Reader) -> ServerSettings:
    return ServerSettings(
        host=read.text("HOST", "127.0.0.1"),
        port=read.number("PORT", 8000, 0, 65535),
        processes=read.number("WEB_CONCURRENCY", 1, 1, 64),
        threads=read.number("WAITRESS_THREADS", 16, 1, 256),
        worker=read.switch("OTP_WORKER", True),
        trusted_proxies=trusted_proxies(read),
        log_level=read.choice("LOG_LEVEL", "info", ("debug", "info", "warning", "error")),
        log_format=read.choice("LOG_FORMAT", "auto", ("auto", "json", "console")),
    )
