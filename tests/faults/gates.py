"""What may stand where a client looks for Postgres: a refusal, or TLS of every kind.

A test's own Postgres has no TLS. So it is ended here, in front of it, as poolers and clouds do.
"""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.faults.loopback import LOOPBACK

Handle = Callable[[socket.socket], None]
SSL_REQUEST, GSS_REQUEST = 80877103, 80877104


@contextmanager
def gate(handle: Handle) -> Iterator[int]:
    """The port where each connection is handled so, in a thread of its own, and then closed."""
    listener = socket.create_server((LOOPBACK, 0))

    def run(client: socket.socket) -> None:
        with suppress(OSError), client:
            handle(client)

    def accept() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=run, args=[client], daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def read_startup(client: socket.socket) -> int:
    """The code of the client's first packet: a request for TLS, or a version of the protocol."""
    length, code = struct.unpack("!ii", _exactly(client, 8))
    _exactly(client, length - 8)
    return int(code)


def _exactly(client: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        if not (more := client.recv(count - len(found))):
            raise ConnectionError
        found += more
    return found


def refusing(sqlstate: str, text: str) -> Handle:
    """A server that has no TLS and refuses each connection with these words."""

    def handle(client: socket.socket) -> None:
        _greet(client)
        client.sendall(_fatal(sqlstate, text))

    return handle


def letting_in_and_then(sqlstate: str, text: str) -> Handle:
    """A pooler that takes every connection, and ends it with these words when it is asked."""

    def handle(client: socket.socket) -> None:
        _greet(client)
        client.sendall(_message(b"R", struct.pack("!i", 0)))  # no password
        for setting in (b"client_encoding\0UTF8\0", b"DateStyle\0ISO, MDY\0"):
            client.sendall(_message(b"S", setting))
        client.sendall(_message(b"K", bytes(8)) + _message(b"Z", b"I"))
        client.recv(10_000)
        client.sendall(_fatal(sqlstate, text))

    return handle


def _greet(client: socket.socket) -> None:
    while read_startup(client) in (SSL_REQUEST, GSS_REQUEST):
        client.sendall(b"N")


def _fatal(sqlstate: str, text: str) -> bytes:
    fields = {"S": "FATAL", "V": "FATAL", "C": sqlstate, "M": text, "F": "auth.c"}
    return _message(b"E", b"".join(f"{k}{v}\0".encode() for k, v in fields.items()) + b"\0")


def _message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def agreeing_to_tls(then: Handle) -> Handle:
    """A server that says that it has TLS, and then does something else."""

    def handle(client: socket.socket) -> None:
        assert read_startup(client) == SSL_REQUEST
        client.sendall(b"S")
        then(client)

    return handle


def resetting(client: socket.socket) -> None:
    """In the middle of the handshake, which the client has begun."""
    client.recv(1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def ending(client: socket.socket) -> None:
    client.recv(10_000)


def silent(client: socket.socket) -> None:
    while client.recv(10_000):
        pass


def with_tls(context: ssl.SSLContext, port: int) -> Handle:
    """TLS ends here, and what is in it goes to the Postgres at this port."""

    def speak(client: socket.socket) -> None:
        with (
            context.wrap_socket(client, server_side=True) as inside,
            socket.create_connection((LOOPBACK, port)) as server,
        ):
            back = threading.Thread(target=_copy, args=[server, inside], daemon=True)
            back.start()
            _copy(inside, server)
            back.join()

    return agreeing_to_tls(speak)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while found := source.recv(65_536):
            target.sendall(found)
    for side in (source, target):
        with suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)


@dataclass(frozen=True)
class Authority:
    """A certificate authority of a test's own; ``file`` is its certificate."""

    file: Path
    _certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls, folder: Path, name: str) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _sign(name, key, name, key, ca=True)
        file = folder / f"{name}.crt"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(file, certificate, key)

    def server(self, host: str) -> ssl.SSLContext:
        """What a server needs that answers as this host, a name or an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = self._certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
        certificate = _sign(host, key, str(issuer), self._key, ca=False)
        file = self.file.with_name(f"{host}.pem")
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _sign(
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    ca: bool,
) -> x509.Certificate:
    try:
        name: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(subject))
    except ValueError:
        name = x509.DNSName(subject)
    now = datetime.datetime.now(datetime.timezone.utc)
    day = datetime.timedelta(days=1)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
