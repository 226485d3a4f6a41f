"""Does a crowd without a key slow down who has one, more than a crowd that asks for /health?"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

ROOT = Path(__file__).parent.parent
CONNECTIONS = 64
MOST = 1.5
PAUSE = 0.4  # seconds, until a crowd is all there
JSON = "Host: x\r\nContent-Type: application/json\r\n"
LARGE_FILE = "/static/vendor/swagger-ui/swagger-ui-bundle.js"
HALF = f"POST /send-otp HTTP/1.1\r\n{JSON}Content-Length: 16000\r\n\r\n{'{'.ljust(8000)}"
CROWDS = {
    "/health": "GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "/ready": "GET /ready HTTP/1.1\r\nHost: x\r\n\r\n",
    "/openapi.json": "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n",
    "401": f"POST /verify-otp HTTP/1.1\r\n{JSON}Content-Length: 2\r\n\r\n{{}}",
    "404": "GET /nope HTTP/1.1\r\nHost: x\r\n\r\n",
    "/docs": "GET /docs HTTP/1.1\r\nHost: x\r\n\r\n",
    "/docs/errors": "GET /docs/errors/not_found HTTP/1.1\r\nHost: x\r\n\r\n",
    "/sandbox": "GET /sandbox HTTP/1.1\r\nHost: x\r\n\r\n",
    "/sandbox/messages": "GET /sandbox/messages HTTP/1.1\r\nHost: x\r\n\r\n",
    "jwks.json": "GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n",
    "a webhook": f"POST /webhooks/gupshup HTTP/1.1\r\n{JSON}Content-Length: 2\r\n\r\n{{}}",
    "a large file": f"GET {LARGE_FILE} HTTP/1.1\r\nHost: x\r\n\r\n",
    "half bodies": HALF,
    "no HTTP": "nonsense\r\n\r\n",
}


async def _one_of_the_crowd(port: int, request: bytes) -> None:
    while True:
        with suppress(OSError, asyncio.IncompleteReadError, ValueError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await _ask(reader, writer, request)
            finally:
                writer.close()


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """The same again and again, for as long as the server keeps the connection."""
    while True:
        writer.write(request)
        await writer.drain()
        if request == HALF.encode():
            await asyncio.sleep(0.02)
            return
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        if b"connection: close" in head:
            return


def _crowd(port: int, request: str) -> None:
    async def all_of_them() -> None:
        await asyncio.gather(
            *(_one_of_the_crowd(port, request.encode()) for _ in range(CONNECTIONS))
        )

    asyncio.run(all_of_them())


@contextmanager
def crowd(port: int, request: str) -> Iterator[None]:
    process = multiprocessing.Process(target=_crowd, args=(port, request), daemon=True)
    process.start()
    time.sleep(PAUSE)
    yield
    process.terminate()
    process.join()


@contextmanager
def server() -> Iterator[tuple[int, str]]:
    """A server of one process that requires keys: its port, and a key."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="otp-bench-crowd-") as folder:
        environ = {"DATABASE_URL": f"sqlite:///{folder}/otp.db", "OTP_SECRET": "5e" * 32}
        environ |= {"API_KEYS": "required", "OTP_CLIENT_REQUESTS": "off", "PORT": str(port)}
        otp = [sys.executable, "-m", "flask", "--app", "wsgi", "otp"]
        run = {"cwd": ROOT, "env": os.environ | environ, "stderr": subprocess.DEVNULL}
        subprocess.run([*otp, "init-db"], check=True, **run)  # type: ignore[call-overload]
        made = subprocess.run(  # type: ignore[call-overload]
            [*otp, "keys", "create", "bench"], check=True, text=True, stdout=subprocess.PIPE, **run
        )
        key = next(word for word in made.stdout.split() if word.startswith("otp_"))
        process = subprocess.Popen([sys.executable, "wsgi.py"], **run)  # type: ignore[call-overload]
        try:
            _wait(port)
            yield port, key
        finally:
            process.terminate()
            process.wait()


def _wait(port: int) -> None:
    for _ in range(200):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise SystemExit("the server did not come up")


def check_times(port: int, key: str, count: int) -> list[float]:
    """How long checks take, in seconds: of who asks one after the other, with a key."""
    body = json.dumps({"phone_number": "+919876543210", "otp": "123456"})
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    times = []
    for _ in range(count):
        began = time.perf_counter()
        connection.request("POST", "/verify-otp", body, headers)
        answer = connection.getresponse()
        assert json.loads(answer.read())["error"]["code"] == "otp_not_found"
        times.append(time.perf_counter() - began)
    connection.close()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checks", type=int, default=30, help="in each round")
    parser.add_argument("--crowd", nargs="*", choices=CROWDS, default=list(CROWDS))
    asked = parser.parse_args()
    kinds = dict.fromkeys(["/health", *asked.crowd])
    medians: dict[str, list[float]] = {kind: [] for kind in kinds}
    with server() as (port, key):
        check_times(port, key, asked.checks)
        print(f"alone: {statistics.median(check_times(port, key, asked.checks)) * 1000:.1f} ms")
        for _ in range(asked.rounds):
            for kind in kinds:
                with crowd(port, CROWDS[kind]):
                    medians[kind].append(statistics.median(check_times(port, key, asked.checks)))
    base = min(medians["/health"])
    ratios = {kind: min(times) / base for kind, times in medians.items()}
    for kind, ratio in ratios.items():
        verdict = "" if ratio <= MOST else f"   more than {MOST}"
        print(f"{kind:20} {min(medians[kind]) * 1000:7.1f} ms   {ratio:5.2f}{verdict}")
    sys.exit(max(ratios.values()) > MOST)


if __name__ == "__main__":
    main()
