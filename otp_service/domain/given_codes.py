"""Codes that callers made: stored sealed, since nothing else says what they are, and opened by who
sends them.
"""

from __future__ import annotations

from otp_service.domain.codes import Codes
from otp_service.domain.messages import Outgoing
from otp_service.domain.sealing import seal, unseal

_KIND = "code"


def seal_code(codes: Codes, code: str, verification_id: str, generation: int) -> str:
    """The digits for a store, which only their own row's ids open again."""
    return seal(codes.secrets[0], _KIND, _row(verification_id, generation), code.encode())


def open_code(
    codes: Codes, sealed: str, secret_id: str, verification_id: str, generation: int
) -> str:
    """Raises `LookupError` once its secret has been retired, or the code was wiped."""
    secret = codes.secret(secret_id)
    try:
        return unseal(secret, _KIND, _row(verification_id, generation), sealed).decode()
    except ValueError:
        raise LookupError("the code was wiped") from None


def code_of(codes: Codes, message: Outgoing) -> str:
    """The code that ``message`` carries, whoever made it. Raises `LookupError` as above."""
    its_id, generation, secret_id = message.verification_id, message.generation, message.secret_id
    if message.sealed is not None:
        return open_code(codes, message.sealed, secret_id, its_id, generation)
    return codes.make(message.phone, its_id, generation, secret_id)


def _row(verification_id: str, generation: int) -> str:
    return f"{verification_id} {generation}"
