"""How secrets, networks and what is said of proofs are read."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from otp_service import private_files
from otp_service.domain.codes import MIN_SECRET_BYTES, Secret
from otp_service.environment import Reader
from otp_service.proofs.settings import ProofSettings

HOW_TO_MAKE_ONE = 'make one with: python3 -c "import secrets; print(secrets.token_hex(32))"'
_DIFFERENT_BYTES = 8  # fewer than that in 32 random ones: less than once in 10**36


def read_secrets(read: Reader, sandbox: bool, instance: Path) -> tuple[Secret, ...]:
    text = read.text("OTP_SECRET", "Keys the codes: random hex digits, several with commas")
    if not text and not sandbox:
        read.problems.append(f"OTP_SECRET is required with a real sender: {HOW_TO_MAKE_ONE}")
        return ()
    try:
        keys = [bytes.fromhex(part) for part in (text or _kept_secret(instance)).split(",")]
    except ValueError:
        keys = [b""]
    except OSError:
        read.problems.append(f"OTP_SECRET is not set and can't be kept on disk: {HOW_TO_MAKE_ONE}")
        return ()
    if any(len(key) < MIN_SECRET_BYTES for key in keys):
        read.problems.append(
            f"OTP_SECRET must be {2 * MIN_SECRET_BYTES} or more hex digits (several are "
            f"separated by commas, newest first): {HOW_TO_MAKE_ONE}"
        )
    if any(len(key) >= MIN_SECRET_BYTES and len(set(key)) < _DIFFERENT_BYTES for key in keys):
        (read.warnings if sandbox else read.problems).append(
            f"OTP_SECRET has fewer than {_DIFFERENT_BYTES} different bytes, so it was not made at "
            f"random (each of several must be): {HOW_TO_MAKE_ONE}"
        )
    read.redact(*[key.hex() for key in keys])
    return tuple(Secret(key) for key in keys)


def _kept_secret(instance: Path) -> str:
    """The sandbox's own secret, made at the first start; one even if several start at once."""
    path = instance / "otp_secret"
    private_files.folder(instance, ours=True)
    if not path.exists():
        descriptor, draft = tempfile.mkstemp(dir=instance)  # readable by its owner only
        with open(descriptor, "w") as file:
            file.write(Secret.new_hex())
        with suppress(FileExistsError):  # another process was first: its secret holds
            os.link(draft, path)
        os.unlink(draft)
    private_files.close(path)
    return path.read_text().strip()


def api_keys_required(read: Reader, sandbox: bool) -> bool:
    default = "off" if sandbox else "required"
    required = read.choice("API_KEYS", "Whether callers need a key", default, ("off", "required"))
    if required == "off" and not sandbox:
        read.warnings.append("API_KEYS is off with a real sender: anyone who can connect can send")
    return required == "required"


def read_proofs(read: Reader) -> ProofSettings:
    return ProofSettings(
        subject=read.choice(
            "OTP_PROOF", "Whether a success is signed", "off", ("off", "hashed", "phone")
        ),
        issuer=read.text("OTP_PROOF_ISSUER", "Who says so in a proof", "otp-service"),
        audience=read.text("OTP_PROOF_AUDIENCE", "Who may accept a proof: else the client"),
        seconds=read.number("OTP_PROOF_SECONDS", "How long a proof lives", 300, 30, 3600),
    )
