"""Codes: derived from a secret, never stored; what is stored proves a code without telling it.

A code is ``HMAC-SHA256(secret, id, generation)`` read as one number, modulo 10^length: the same
in every process that holds the secret, so that a retry elsewhere sends the same code. Reading the
whole digest leaves a bias below 2^-220; RFC 4226's truncation to 31 bits is too short for ten
digits.

What is stored is ``SHA-256(id, tag)`` with ``tag = HMAC-SHA256(secret, client, phone, purpose,
code)``. The tag needs no id, so a check by phone alone can be decided by one statement in the
database, which binds the tag to the row's own id. Without the secret neither can be guessed.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cached_property

from otp_service.domain.values import value
from otp_service.domain.verification import Person

MIN_SECRET_BYTES = 32


@value
class Secret:
    """A key, and a name for it that tells nothing about it."""

    key: bytes = field(repr=False)

    @cached_property
    def id(self) -> str:
        return hashlib.sha256(b"otp-secret-id" + self.key).hexdigest()[:8]

    @cached_property
    def keyed(self) -> hmac.HMAC:
        """Before any text: to copy, which is quicker than to take in the key anew."""
        return hmac.new(self.key, digestmod=hashlib.sha256)

    @classmethod
    def new_hex(cls) -> str:
        return secrets.token_hex(MIN_SECRET_BYTES)


def derive_code(secret: Secret, verification_id: str, generation: int, length: int) -> str:
    """The code of one generation: ``length`` ASCII digits, leading zeros kept."""
    digest = _hmac(secret, "code", verification_id, str(generation))
    return str(int.from_bytes(digest, "big") % 10**length).zfill(length)


def tag(secret: Secret, person: Person, code: str) -> str:
    """What a person proves by typing ``code``, keyed: 64 hex digits."""
    return _hmac(secret, "tag", person.client, person.phone, person.purpose, code).hex()


def bind(verification_id: str, tag: str) -> str:
    """The tag bound to one verification: 64 hex digits. This is what a store keeps."""
    return hashlib.sha256(f"{verification_id}{tag}".encode()).hexdigest()


def _hmac(secret: Secret, *texts: str) -> bytes:
    """HMAC over length-delimited texts: no two lists of texts give the same message."""
    encoded = [text.encode() for text in texts]
    keyed = secret.keyed.copy()
    keyed.update(b"".join([len(text).to_bytes(4, "big") + text for text in encoded]))
    return keyed.digest()


@value
class Codes:
    """The codes of one deployment: ``secrets`` newest first; ``fixed`` for test numbers."""

    secrets: Sequence[Secret]
    length: int
    fixed: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def secret_id(self) -> str:
        """Which secret new codes are made with."""
        return self.secrets[0].id

    def make(self, phone: str, verification_id: str, generation: int, secret_id: str) -> str:
        """The code of one generation. Raises `LookupError` once its secret has been retired."""
        if phone in self.fixed:
            return self.fixed[phone]
        return derive_code(self.secret(secret_id), verification_id, generation, self.length)

    def secret(self, secret_id: str) -> Secret:
        """Raises `LookupError` once it has been retired."""
        for secret in self.secrets:
            if secret.id == secret_id:
                return secret
        raise LookupError("the secret of this code is no longer configured")

    def mac(self, person: Person, verification_id: str, generation: int) -> str:
        """What a store keeps of a new code: its tag, bound to its verification."""
        code = self.make(person.phone, verification_id, generation, self.secret_id)
        return self.mac_of(code, person, verification_id)

    def mac_of(self, code: str, person: Person, verification_id: str) -> str:
        """The same of a code that somebody else made."""
        return bind(verification_id, tag(self.secrets[0], person, code))

    def tags(self, person: Person, code: str) -> list[str]:
        """The code's tag under each secret, newest first."""
        return [tag(secret, person, code) for secret in self.secrets]

    def pseudonyms(self, kind: str, text: str) -> tuple[str, ...]:
        """What a text is recognized by without being stored, under each secret, newest first.

        Keyed, 64 hex digits: a plain hash of a phone number, an address or a request with a code
        in it would be found by trying all that there are. Another ``kind``, another pseudonym.
        """
        return tuple(_hmac(secret, kind, text).hex() for secret in self.secrets)
