"""What is sealed opens with its own secret, kind and context, and with nothing else."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest

from otp_service.domain.codes import Secret
from otp_service.domain.sealing import seal, unseal

ONE, OTHER = Secret(bytes(range(32))), Secret(bytes(range(1, 33)))


def test_what_was_sealed_opens_again() -> None:
    assert unseal(ONE, "code", "s1", seal(ONE, "code", "s1", b"04711")) == b"04711"


def test_the_same_twice_looks_different_and_shows_nothing_of_itself() -> None:
    first, second = (seal(ONE, "code", "s1", b"04711") for _ in range(2))
    assert first != second
    assert b"04711" not in urlsafe_b64decode(first)


@pytest.mark.parametrize(
    ("secret", "kind", "context"),
    [(OTHER, "code", "s1"), (ONE, "endpoint", "s1"), (ONE, "code", "s2")],
    ids=["another secret", "another kind", "another row"],
)
def test_nothing_else_opens_it(secret: Secret, kind: str, context: str) -> None:
    sealed = seal(ONE, "code", "s1", b"04711")
    with pytest.raises(ValueError, match="not sealed"):
        unseal(secret, kind, context, sealed)


@pytest.mark.parametrize("at", [0, 12, -1], ids=["the nonce", "the text", "the tag"])
def test_a_changed_byte_is_noticed(at: int) -> None:
    raw = bytearray(urlsafe_b64decode(seal(ONE, "code", "s1", b"04711")))
    raw[at] ^= 1
    with pytest.raises(ValueError, match="not sealed"):
        unseal(ONE, "code", "s1", urlsafe_b64encode(bytes(raw)).decode())


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!"])
def test_what_was_never_sealed_does_not_open(text: str) -> None:
    with pytest.raises(ValueError):
        unseal(ONE, "code", "s1", text)
