"""`otp worker --metrics-port`: Prometheus may ask a worker, too."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
import waitress

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def answer(app: WSGIApplication, host: str, port: int) -> None:
    """From now on `/metrics` is answered here, as a server does and to whom; all else gets 404.

    Raises `click.ClickException` if the port is taken.
    """

    def metrics_only(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/metrics":
            return app(environ, start_response)
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"A worker answers /metrics only.\n"]

    try:
        server = waitress.create_server(metrics_only, host=host, port=port, threads=1, ident=None)
    except OSError as error:
        reason = f"can't listen on {host} port {port}: {error.strerror}"
        raise click.ClickException(reason) from None
    threading.Thread(target=server.run, name="scrapes", daemon=True).start()
