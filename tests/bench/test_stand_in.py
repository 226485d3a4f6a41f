"""The fast stand-in for Gupshup."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlencode

from bench import stand_in


def _ask(*requests: bytes) -> list[bytes]:
    """The answers, over one connection."""

    async def talk() -> list[bytes]:
        server = await asyncio.start_server(stand_in.StandIn().serve, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        answers = []
        for request in requests:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
            answers.append(head + await reader.readexactly(length))
        writer.close()
        server.close()
        return answers

    return asyncio.run(talk())


def _message(phone: str, code: str) -> bytes:
    template = json.dumps({"id": "t", "params": [code]})
    body = urlencode({"destination": phone, "template": template})
    return f"POST {stand_in.PATH} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


CODES = b"GET /codes HTTP/1.1\r\n\r\n"


def test_a_message_is_submitted_with_an_id() -> None:
    (answer,) = _ask(_message("919876543210", "123456"))
    assert answer.startswith(b"HTTP/1.1 202 Accepted\r\n")
    told = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert told["status"] == "submitted"
    assert len(told["messageId"]) == 36


def test_codes_are_told_once() -> None:
    *_, codes, again = _ask(_message("919876543210", "123456"), CODES, CODES)
    assert codes.endswith(b"\r\n\r\n+919876543210 123456")
    assert again.endswith(b"\r\n\r\n")


def test_health_is_asked_like_any_other_server_s() -> None:
    (answer,) = _ask(b"GET /health HTTP/1.1\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
