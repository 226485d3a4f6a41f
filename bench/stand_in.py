"""A stand-in for Gupshup that takes little of the machine: `python -m bench.stand_in PORT`.

It answers as the simulator does, after `POST /pause/SECONDS` so much later, and never after
`POST /pause/inf`. `GET /codes` tells each message since the last time: a phone and its code a line.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import uuid
from http import HTTPStatus
from urllib.parse import parse_qs

PATH = "/wa/api/v1/template/msg"


class StandIn:
    """What all connections share."""

    def __init__(self) -> None:
        self._pause = 0.0
        self._codes: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Requests of one connection, until it is closed."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                body = await reader.readexactly(_length(head))
                status, text = await self._answer(head.split(" ", 2)[1], body.decode())
                writer.write(_response(status, text.encode()))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _answer(self, path: str, body: str) -> tuple[int, str]:
        if path == PATH:
            return await self._take(body)
        if path.startswith("/pause/"):
            self._pause = float(path.removeprefix("/pause/"))
        if path != "/codes":
            return 200, ""
        codes, self._codes = self._codes, []
        return 200, "\n".join(codes)

    async def _take(self, body: str) -> tuple[int, str]:
        form = parse_qs(body)
        code = json.loads(form["template"][0])["params"][0]
        await (asyncio.Event().wait() if math.isinf(self._pause) else asyncio.sleep(self._pause))
        self._codes.append(f"+{form['destination'][0]} {code}")
        return 202, json.dumps({"status": "submitted", "messageId": str(uuid.uuid4())})


def _length(head: str) -> int:
    _, found, rest = head.lower().partition("content-length:")
    return int(rest.split("\r\n")[0]) if found else 0


def _response(status: int, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def _main(port: int) -> None:
    async with await asyncio.start_server(StandIn().serve, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))
