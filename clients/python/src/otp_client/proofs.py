"""Verifies proofs: that a phone was verified, without asking the service each time.

Needs ``otp-client[proofs]``. What a proof says, and how it is to be used: docs/proofs.md.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone

import jwt

from otp_client.errors import NoAnswer, OtpClientError
from otp_client.transport import Lost, Request, Transport
from otp_client.version import __version__

KEYS = Request("GET", "/.well-known/jwks.json")
KEPT = 300.0  # seconds for which public keys are not asked for again
PAUSE = 10.0  # seconds between two looks, whatever keys are named: strangers can name any
LEEWAY = 5  # seconds that two clocks may differ
NEEDED = ["iss", "sub", "aud", "iat", "exp", "jti", "auth_time", "purpose", "verification_id"]


class InvalidProof(OtpClientError):
    """It is no proof for this issuer, audience and purpose, or has ended."""


@dataclass(frozen=True, slots=True)
class Proof:
    """``subject`` is the phone in E.164, or 64 hex digits that stand for it.

    ``id`` is another in each proof: keep it until ``expires_at`` where something must happen once.
    """

    subject: str = field(repr=False)
    purpose: str
    verification_id: str
    channel: str | None
    verified_at: datetime
    issued_at: datetime
    expires_at: datetime
    id: str


class ProofVerifier:
    """Holds the public keys of one service, for any number of threads.

    ``issuer`` and ``audience`` are the service's OTP_PROOF_ISSUER, and OTP_PROOF_AUDIENCE or the
    name of the API key's client. Keys are asked for over ``base_url``, so that should be https.
    """

    def __init__(
        self,
        base_url: str,
        *,
        issuer: str = "otp-service",
        audience: str,
        timeout: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer, self._audience = issuer, audience
        self._keys = _Keys(Transport(base_url, None, f"otp-client/{__version__}"), timeout, clock)

    def verify(self, proof: str, *, purpose: str = "login") -> Proof:
        """What the proof says. Raises `InvalidProof`, and `NoAnswer` if the keys can't be had."""
        try:
            kid = str(jwt.get_unverified_header(proof).get("kid"))
        except jwt.PyJWTError:
            kid = None
        key = self._keys.named(kid) if kid else None
        if key is None:
            raise InvalidProof("it names no key of the service")
        claims = self._claims(proof, key)
        if claims["purpose"] != purpose:
            raise InvalidProof("it is a proof of something else")
        return _proof(claims)

    def _claims(self, proof: str, key: jwt.PyJWK) -> dict[str, object]:
        try:
            return dict(
                jwt.decode(
                    proof,
                    key,
                    algorithms=["EdDSA"],
                    issuer=self._issuer,
                    audience=self._audience,
                    leeway=LEEWAY,
                    options={"require": NEEDED},
                )
            )
        except jwt.PyJWTError as error:
            why = type(error).__name__
        raise InvalidProof(f"it was not accepted: {why}")


class _Keys:
    def __init__(self, transport: Transport, timeout: float, clock: Callable[[], float]) -> None:
        self._transport, self._timeout, self._clock = transport, timeout, clock
        self._lock = threading.Lock()
        self._known: dict[str, jwt.PyJWK] = {}
        self._read_at: float | None = None

    def named(self, kid: str) -> jwt.PyJWK | None:
        """The key of this name. One that is not known is looked for, but not all the time."""
        with self._lock:
            age = None if self._read_at is None else self._clock() - self._read_at
            if age is None or age > KEPT or (age > PAUSE and kid not in self._known):
                self._known = self._published()
                self._read_at = self._clock()
            return self._known.get(kid)

    def _published(self) -> dict[str, jwt.PyJWK]:
        came = self._transport.exchange(KEYS, self._timeout)
        if isinstance(came, Lost):
            raise NoAnswer(came.why)
        if came.status != 200 or came.document is None:
            raise NoAnswer(f"HTTP {came.status} instead of its public keys")
        keys = [key for key in _listed(came.document) if key.key_id]
        return {str(key.key_id): key for key in keys}


def _listed(document: object) -> list[jwt.PyJWK]:
    try:
        return jwt.PyJWKSet.from_dict(document).keys  # type: ignore[arg-type]
    except jwt.PyJWTError:
        return []


def _proof(claims: dict[str, object]) -> Proof:
    return Proof(
        subject=str(claims["sub"]),
        purpose=str(claims["purpose"]),
        verification_id=str(claims["verification_id"]),
        channel=None if claims.get("channel") is None else str(claims["channel"]),
        verified_at=_time(claims["auth_time"]),
        issued_at=_time(claims["iat"]),
        expires_at=_time(claims["exp"]),
        id=str(claims["jti"]),
    )


def _time(seconds: object) -> datetime:
    return datetime.fromtimestamp(float(str(seconds)), timezone.utc)
