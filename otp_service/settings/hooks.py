"""Which other sign-in systems may hand over codes, and what they sign with."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from otp_service.domain.verification import Channel
from otp_service.environment import Reader, is_placeholder

_AUTO = "auto"
_SUPABASE = re.compile("v1,whsec_([A-Za-z0-9+/]+={0,2})")
_BYTES = range(24, 65)  # Standard Webhooks 1.0
_SHORT = 16  # characters
_DIFFERENT = 8  # bytes; of 24 random ones fewer are different less than once in 10**18
_WITHOUT_FORM = {  # what each makes or is given, and is used as it stands
    "logto": ("HOOK_LOGTO_TOKEN", "What Logto sends as Authorization; NEW|OLD is two at once"),
    "authgear": ("HOOK_AUTHGEAR_SECRET", "What Authgear signs with; NEW|OLD is two at once"),
    "zitadel": ("HOOK_ZITADEL_SECRET", "What Zitadel signs with; NEW|OLD is two at once"),
}


@dataclass(frozen=True)
class HookSettings:
    """``secrets`` by the name of the system, which is the last part of its path; who has none may
    not call. ``channel`` is that of every message.
    """

    secrets: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    channel: str


def read_hooks(read: Reader, sandbox: bool, has_sms: bool) -> HookSettings:
    given = {"supabase": _supabase(read)}
    for system, (name, meaning) in _WITHOUT_FORM.items():
        given[system] = _secrets(read, name, meaning, _as_it_stands)
    secrets = {system: found for system, found in given.items() if found}
    for system, found in secrets.items():
        name = _WITHOUT_FORM[system][0] if system in _WITHOUT_FORM else "HOOK_SUPABASE_SECRET"
        _judge(read, name, found, sandbox)
    return HookSettings(secrets, _channel(read, has_sms))


def _supabase(read: Reader) -> tuple[bytes, ...]:
    """As many as Supabase Auth signs with: its own list can be copied."""
    name = "HOOK_SUPABASE_SECRET"
    meaning = "What Supabase Auth signs with: v1,whsec_…; several with bars"
    return _secrets(read, name, meaning, _standard_webhooks)


def _secrets(
    read: Reader, name: str, meaning: str, decode: Callable[[str], bytes]
) -> tuple[bytes, ...]:
    several = decode is _standard_webhooks
    value = read.secret(name, meaning) if several else read.one_or_two_secrets(name, meaning)
    parts = [part.strip() for part in value.split("|") if part.strip()]
    read.redact(*parts)
    try:
        return tuple(map(decode, parts))
    except ValueError as wrong:
        read.problems.append(f"{name} {wrong}")
        return ()


def _standard_webhooks(text: str) -> bytes:
    """Raises `ValueError`, which does not quote it."""
    form = _SUPABASE.fullmatch(text)
    with_form = "must be v1,whsec_ and base64 of 24 to 64 bytes, as Supabase shows it"
    try:
        secret = b64decode(form[1], validate=True) if form else b""
    except binascii.Error:
        raise ValueError(with_form) from None
    if len(secret) not in _BYTES:
        raise ValueError(f"{with_form}; several are joined by a vertical bar")
    return secret


def _as_it_stands(text: str) -> bytes:
    """Raises `ValueError`, which does not quote it."""
    if is_placeholder(text):
        raise ValueError("still holds the example's placeholder")
    if not (text.isascii() and text.isprintable()):
        raise ValueError("must be printable ASCII, which is what a header can hold")
    return text.encode()


def _judge(read: Reader, name: str, secrets: tuple[bytes, ...], sandbox: bool) -> None:
    make = 'make one with: python3 -c "import secrets; print(secrets.token_urlsafe(24))"'
    if any(len(set(each)) < _DIFFERENT for each in secrets):
        (read.warnings if sandbox else read.problems).append(
            f"{name} has fewer than {_DIFFERENT} different bytes, so it can be guessed: {make}"
        )
    elif any(len(each) < _SHORT for each in secrets):
        read.warnings.append(f"{name} is short, so it is easier to guess: {make}")


def _channel(read: Reader, has_sms: bool) -> str:
    name, whatsapp, sms = "HOOK_CHANNEL", Channel.WHATSAPP.value, Channel.SMS.value
    default = _AUTO if has_sms else whatsapp
    meaning = "How codes of other systems reach people"
    channel = read.choice(name, meaning, default, (_AUTO, whatsapp, sms))
    if channel == sms and not has_sms:
        read.problems.append(f"{name} is {sms}, but no SMS sender is configured")
    return channel
