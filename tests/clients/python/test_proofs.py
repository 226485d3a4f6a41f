"""Proofs of the real service are taken, by keys that are seldom asked for; forgeries are not."""

from __future__ import annotations

import time

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from otp_client import NoAnswer, OtpClient
from otp_client.proofs import KEPT, PAUSE, InvalidProof, ProofVerifier
from tests.clients.python.service import Clock, Service, url_of
from tests.delivery.misbehaving import closed_port_url, http, say, serve
from tests.proofs.test_verifier import FORGERIES, signed_again, with_header

PROOF_FORGERIES = dict(FORGERIES)
PROOF_FORGERIES |= {
    "no proof at all": lambda app, proof: "proof",
    "empty": lambda app, proof: "",
    "without a purpose": lambda app, proof: signed_again(app, proof, purpose=None),
}


@pytest.fixture
def proof(client: OtpClient, service: Service, phone: str) -> str:
    client.send(phone)
    made = client.verify(phone, service.code(phone)).proof
    assert made
    return made


@pytest.fixture
def verifier(service: Service, clock: Clock) -> ProofVerifier:
    return ProofVerifier(service.url, audience="shop", clock=clock)


def test_a_proof_tells_what_was_verified(
    verifier: ProofVerifier, proof: str, phone: str, client: OtpClient
) -> None:
    told = verifier.verify(proof)
    assert (told.subject, told.purpose, told.channel) == (phone, "login", "whatsapp")
    verification = client.get(told.verification_id)
    assert verification.verified_at
    assert told.verified_at == verification.verified_at.replace(microsecond=0)
    assert told.issued_at.timestamp() <= time.time() < told.expires_at.timestamp()
    assert phone not in repr(told)


def test_no_forgery_is_taken(verifier: ProofVerifier, proof: str, service: Service) -> None:
    assert verifier.verify(signed_again(service.app, proof))
    taken = []
    for name, forge in PROOF_FORGERIES.items():
        try:
            verifier.verify(forge(service.app, proof))
        except InvalidProof:
            continue
        taken.append(name)
    assert taken == []


def published(service: Service) -> bytes:
    """The answer with its public keys."""
    keys = requests.get(f"{service.url}/.well-known/jwks.json", timeout=10)
    return http(keys.content, "200 OK")


def test_keys_are_kept_and_read_again_when_they_are_old_or_another_is_named(
    proof: str, service: Service, clock: Clock
) -> None:
    unknown = with_header(proof, Ed25519PrivateKey.generate().sign, kid="unknown")
    with serve(say(published(service))) as server:
        verifier = ProofVerifier(url_of(server), audience="shop", clock=clock)
        asked = []
        for wait, shown in [(0, proof), (1, proof), (1, unknown), (PAUSE, unknown), (1, unknown)]:
            clock.now += wait
            _verify(verifier, shown)
            asked.append(len(server.requests))
        clock.now += KEPT
        assert verifier.verify(proof)
        assert [*asked, len(server.requests)] == [1, 1, 1, 2, 2, 3]


def _verify(verifier: ProofVerifier, shown: str) -> None:
    try:
        verifier.verify(shown)
    except InvalidProof:
        return


@pytest.mark.parametrize(
    "answer", [b"", http(b"{}", "503 Service Unavailable"), http(b"<p>", "200 OK")]
)
def test_without_keys_nothing_is_said_of_a_proof(answer: bytes, proof: str, clock: Clock) -> None:
    with serve(say(answer)) as server:
        url = url_of(server) if answer else closed_port_url()
        with pytest.raises(NoAnswer):
            ProofVerifier(url, audience="shop", clock=clock).verify(proof)


def test_a_key_that_is_published_no_more_is_accepted_until_keys_are_read_again(
    proof: str, service: Service, clock: Clock
) -> None:
    with serve(say(published(service)), say(http(b'{"keys": []}', "200 OK"))) as server:
        verifier = ProofVerifier(url_of(server), audience="shop", clock=clock)
        assert verifier.verify(proof)
        clock.now += KEPT + 1
        with pytest.raises(InvalidProof):
            verifier.verify(proof)
