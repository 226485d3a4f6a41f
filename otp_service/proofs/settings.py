"""What is chosen of proofs: known where none are made, without what signs them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ProofSettings:
    """The signed proof of a success: ``subject`` is off, hashed or phone; it lives ``seconds``.

    Without an ``audience`` it is for the client that asked.
    """

    subject: str
    issuer: str
    audience: str
    seconds: int
