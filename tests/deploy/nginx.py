"""deploy/nginx/otp.conf in a real nginx, with ports, a certificate and logs of the test's own."""

from __future__ import annotations

import getpass
import itertools
import re
import socket
import ssl
import subprocess
from pathlib import Path
from typing import Any

import requests
from typing_extensions import Self

from tests.faults.loopback import LOOPBACK, free_port
from tests.faults.service import Answer, Caller
from tests.faults.waiting import until
from tests.system import need_program

CONF = Path(__file__).parents[2] / "deploy" / "nginx" / "otp.conf"
# As Debian's, but that it logs more: nothing of it may tell of a request.
MAIN = """\
daemon off;
user {user};
pid {folder}/pid;
error_log {folder}/error.log info;
events {{ worker_connections 768; }}
http {{
    error_log {folder}/http-error.log info;
    access_log {folder}/access.log;
    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
    client_body_temp_path {folder}/bodies;
    proxy_temp_path {folder}/answers;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/otp.conf;
}}
"""


def certificate(folder: Path) -> Path:
    """For localhost, by nobody; its key lies beside it."""
    command = f"""{need_program("openssl", package="openssl")} req -x509 -nodes -days 2
        -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -subj /CN=localhost
        -addext subjectAltName=DNS:localhost
        -keyout {folder}/privkey.pem -out {folder}/fullchain.pem"""
    subprocess.run(command.split(), check=True, capture_output=True)
    return folder / "fullchain.pem"


class Nginx(Caller):
    """In front of the replicas at these addresses, and called as they are; there is no ``app``.

    ``changes`` are made in the file as it is shipped.
    """

    def __init__(self, folder: Path, replicas: list[str], changes: dict[str, str]) -> None:
        self._program = need_program("nginx", "/usr/sbin/nginx", package="nginx")
        self.folder = folder
        self.plain, self.tls = free_port(), free_port()
        self.certificate = certificate(folder)
        (folder / "otp.conf").write_text(self._conf(replicas, changes))
        main = MAIN.format(folder=folder, user=getpass.getuser())
        (folder / "nginx.conf").write_text(main)

    def _conf(self, replicas: list[str], changes: dict[str, str]) -> str:
        ports = itertools.cycle(replica.rpartition(":")[2] for replica in replicas)
        text = re.sub(r"\n.*\[::\].*", "", CONF.read_text())
        text = re.sub(r"127\.0\.0\.1:800\d", lambda _: f"{LOOPBACK}:{next(ports)}", text)
        for old, new in {
            "listen 80": f"listen {LOOPBACK}:{self.plain}",
            "listen 443": f"listen {LOOPBACK}:{self.tls}",
            "/etc/letsencrypt/live/otp.example.com": str(self.folder),
            "otp.example.com": "localhost",
            "/var/log/nginx": str(self.folder),
            **changes,
        }.items():
            assert old in text, old
            text = text.replace(old, new)
        return text

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [self._program, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
        )
        until(self._listens)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(60)

    def _listens(self) -> bool:
        assert self._process.poll() is None, "nginx ended instead of starting"
        with socket.socket() as sock:
            return sock.connect_ex((LOOPBACK, self.tls)) == 0

    def call(self, method: str, path: str, body: dict[str, object] | None = None) -> Answer:
        response = self.request(method, path, json=body)
        return Answer.of(response.status_code, response.json(), response.headers.items())

    def request(self, method: str, path: str, **more: Any) -> requests.Response:
        """Over TLS; as it comes, without following where it leads."""
        url = f"https://localhost:{self.tls}{path}"
        more = {"timeout": 30, "allow_redirects": False, "verify": str(self.certificate), **more}
        return requests.request(method, url, **more)

    def connect(self, name: str = "localhost", **versions: Any) -> ssl.SSLSocket:
        """A connection, to write to by hand."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        for version, value in versions.items():
            setattr(context, version, value)
        context.check_hostname = name == "localhost"
        sock = socket.create_connection((LOOPBACK, self.tls), timeout=30)
        return context.wrap_socket(sock, server_hostname=name)

    def said(self, head: bytes) -> bytes:
        """What it answers to these very bytes until it hangs up."""
        with self.connect() as sock:
            sock.sendall(head)
            sock.settimeout(30)
            return b"".join(iter(lambda: sock.recv(65536), b""))

    def logs(self) -> str:
        """Every line that it wrote anywhere."""
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def log_of(self, route: str) -> str:
        """The lines of the log that tell of it: each is written when its answer is out."""
        lines = (self.folder / "otp.log").read_text().splitlines()
        return "\n".join(line for line in lines if f'"route": "{route}"' in line)
