"""docs/integrations/keycloak.md: the settings it shows make requests that the service takes.

The requests are those of `ApiSmsService` in release 26.7.1-1 of the plugin, byte for byte as that
class sent them under Java 17 with these settings: Java asks for HTTP/2 where there is no TLS.
"""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.faults.waiting import PATIENCE
from tests.guides.conftest import Service
from tests.guides.pages import blocks, page, table

PAGE = page("integrations/keycloak.md")
(TEMPLATE,) = (block.strip() for block in blocks(PAGE, "json"))
SHOWN = {row[1].strip("`"): row[2] for row in table(PAGE, "setting | name")}
TEXTS = {
    "en": "Your SMS code is 482913 and is valid for 5 minutes.",
    "de": "Ihr SMS Code lautet 482913 und ist gültig für 5 Minuten.",
    "fr": "Votre code de vérification est 482913 et est valide pendant 5 minutes.",
    "es": "Su código SMS es 482913 y es válido durante 5 minutos.",
}


def by_default(phone: str, text: str) -> str:
    """The body where no template is set."""
    return f'{{"text":"{text}","to":"{phone}","from":"Keycloak"}}'


def by_template(phone: str, text: str) -> str:
    """`String.format(jsonTemplate, phoneNumber, message)`: nothing is escaped."""
    return TEMPLATE % (phone, text)


def posted(service: Service, body: str, key: str | None = None) -> tuple[int, dict[str, Any]]:
    """What Java's client sends, and the answer: its status and body."""
    url = urlsplit(service.url)
    token = SHOWN["apitoken"].partition("`")[2].partition("`")[0]
    data = body.encode()
    head = (
        "POST /messages HTTP/1.1\r\n"
        "Connection: Upgrade, HTTP2-Settings\r\n"
        f"Content-Length: {len(data)}\r\n"
        f"Host: {url.netloc}\r\n"
        "HTTP2-Settings: AAEAAEAAAAIAAAAAAAMAAAAAAAQBAAAAAAUAAEAAAAYABgAA\r\n"
        "Upgrade: h2c\r\n"
        "User-Agent: Java-http-client/17.0.15\r\n"
        f"Authorization: {token.replace('KEY', key or service.key)}\r\n"
        "Content-Type: application/json\r\n\r\n"
    )
    with socket.create_connection((url.hostname, url.port or 80), PATIENCE) as connection:
        connection.sendall(head.encode() + data)
        reader = connection.makefile("rb")
        status = int(reader.readline().split()[1])
        length = 0
        while (line := reader.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return status, json.loads(reader.read(length))


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_keycloaks_code_reaches_the_phone(service: Service, phone: str, text: str) -> None:
    status, answer = posted(service, by_template(phone, text))
    assert (status, answer["success"]) == (200, True)
    assert service.arrived(phone) == "482913"


def test_the_code_lives_as_long_as_keycloaks() -> None:
    assert json.loads(TEMPLATE)["expires_in"] == int(SHOWN["ttl"].split("`")[1])


def test_the_template_is_needed_since_the_sender_is_no_field(service: Service, phone: str) -> None:
    status, answer = posted(service, by_default(phone, TEXTS["en"]))
    assert (status, answer["error"]["code"]) == (400, "invalid_request")
    assert set(answer["error"]["fields"]) >= {"from", "to"}


def test_a_text_with_a_quotation_mark_is_no_json(service: Service, phone: str) -> None:
    status, answer = posted(service, by_template(phone, 'Your "code" is 482913'))
    assert (status, answer["error"]["code"]) == (400, "invalid_json")


def test_a_wrong_key_is_refused(service: Service, phone: str) -> None:
    status, _ = posted(service, by_template(phone, TEXTS["en"]), key="a-wrong-key")
    assert status == 401
