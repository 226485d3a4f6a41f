"""HAProxy in front of two replicas, as docs/operating.md says that it should be set."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

_CONFIGURATION = """\
global
    stats socket {socket} mode 600 level admin
defaults
    mode http
    timeout connect 1s
    timeout client 60s
    timeout server 30s
    timeout http-request 10s
    retries 3
    option redispatch 1
    retry-on conn-failure
frontend otp
    bind 127.0.0.1:{port}
    default_backend replicas
backend replicas
    option httpchk
    http-check send meth GET uri /ready ver HTTP/1.1 hdr Host otp
    http-check expect status 200
    default-server check inter 500ms fall 2 rise 1
"""


class Proxy:
    """``ports`` are those of the replicas, by their names."""

    def __init__(self, folder: Path, port: int, ports: dict[str, int]) -> None:
        self.port, self._socket = port, folder / "haproxy.sock"
        lines = [f"    server {name} 127.0.0.1:{each}\n" for name, each in ports.items()]
        file = folder / "haproxy.cfg"
        file.write_text(_CONFIGURATION.format(socket=self._socket, port=port) + "".join(lines))
        with (folder / "haproxy.log").open("ab") as log:
            command = ["haproxy", "-W", "-db", "-f", str(file)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + 10
        while not self._socket.exists():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((folder / "haproxy.log").read_text())
            time.sleep(0.05)

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)

    def drain(self, name: str) -> None:
        """Send a replica nothing new, and return when it has nothing left."""
        self._ask(f"set server replicas/{name} state drain")
        self._wait(name, lambda server: server["scur"] == "0")

    def resume(self, name: str) -> None:
        self._ask(f"set server replicas/{name} state ready")

    def wait_until_up(self, name: str) -> None:
        self._wait(name, lambda server: server["status"].startswith("UP"))

    def _wait(self, name: str, is_so: Callable[[dict[str, str]], bool]) -> None:
        until = time.monotonic() + 30
        while not is_so(self._server(name)):
            if time.monotonic() > until:
                raise TimeoutError(f"HAProxy says of {name}: {self._server(name)['status']}")
            time.sleep(0.05)

    def _server(self, name: str) -> dict[str, str]:
        lines = self._ask("show stat").lstrip("# ").splitlines()
        columns = lines[0].split(",")
        rows = [dict(zip(columns, line.split(","), strict=False)) for line in lines[1:] if line]
        (found,) = [row for row in rows if (row["pxname"], row["svname"]) == ("replicas", name)]
        return found

    def _ask(self, command: str) -> str:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()
