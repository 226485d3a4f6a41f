"""Every option of the simulator: its name, default, and what it does, in one place.

The command line (`__main__.py`) and the constructor of `Simulator` are made of these.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import Annotated, Literal

from otp_service.simulator import signatures

QUIRKS = {
    "string-ts": "v2: `ts` is a string, as in some real callbacks",
    "string-codes": "failure codes are strings",
    "no-reason": "v2: failed callbacks carry the code alone",
    "no-phone": "v2: the envelope has no `phone`, as the older ones",
    "no-gs-id": "v2: no `gsId`, as for events that come a week late",
    "conversation": "v2: `sent` carries `conversation` and `pricing`, as before July 2025",
    "flat-failed": "v3: `code` and `reason` beside the status instead of `errors`",
    "gbeg-ids": "WhatsApp ids begin with gBEG, as the older ones",
    "uuid-ids": "WhatsApp ids are UUIDs",
}


def _any_seed() -> int:
    return secrets.randbelow(2**32)


@dataclass(kw_only=True, repr=False, eq=False)  # no repr: it would show keys
class Options:
    """Times are in seconds. What is empty is off. All may be changed while the simulator runs,
    but ``host``, ``port``, ``seed`` and ``keep``, which are read at its start.
    """

    host: Annotated[str, "address to listen on"] = "127.0.0.1"
    port: Annotated[int, "port to listen on; 0 is any free one"] = 9000
    seed: Annotated[
        int,
        "the same seed and the same requests give the same ids and delays; "
        "without it each start has its own",
    ] = field(default_factory=_any_seed)
    delay: Annotated[float, "seconds before each receipt, counted from the one before"] = 1.0
    jitter: Annotated[float, "part of the delay, as 0.2, by which the seed may lengthen it"] = 0.2
    read: Annotated[bool, "WhatsApp messages are read, too"] = False
    number_faults: Annotated[bool, "the end of a phone number may choose a fault"] = True
    quirks: Annotated[set[str], "a variant that occurs among real callbacks; may be repeated"] = (
        field(default_factory=set)
    )
    keep: Annotated[int, "how many messages and events to remember, the newest ones"] = 1000
    retries: Annotated[int, "more tries for a callback without a 2xx within 10 seconds"] = 2
    retry_pause: Annotated[float, "seconds between these tries"] = 5.0

    api_key: Annotated[str, "the one `apikey` that is accepted; without it any"] = ""
    app_name: Annotated[str, "the one `src.name` that is accepted; without it any"] = ""
    source: Annotated[str, "the one sender number that is accepted; without it any"] = ""
    callback_url: Annotated[str, "where the receipts of WhatsApp messages are posted"] = ""
    callback_secret: Annotated[str, "is sent along as `Authorization: Bearer …`"] = ""
    callback_version: Annotated[
        Literal[2, 3], "format of Gupshup's callbacks; 3 is Meta's with gs_id"
    ] = 2

    sms_userid: Annotated[str, "the one `userid` that is accepted; without it any"] = ""
    sms_password: Annotated[str, "the one `password` that is accepted; without it any"] = ""
    sms_callback_url: Annotated[str, "where the delivery reports of SMS go"] = ""
    sms_callback_method: Annotated[
        Literal["get", "form", "json"], "a GET, a form with response=[…], or a JSON array"
    ] = "get"

    events_secrets: Annotated[
        set[str],
        "a secret that `./otp events add` showed, whsec_…; may be repeated; "
        "without it signatures are not checked",
    ] = field(default_factory=set)

    meta_token: Annotated[str, "the one access token that is accepted; without it any"] = ""
    meta_callback_url: Annotated[str, "where Meta's webhooks are posted"] = ""
    meta_app_secret: Annotated[str, "signs them: X-Hub-Signature-256"] = ""
    meta_verify_token: Annotated[str, "is told when that URL is tried (see Subscribing)"] = ""

    def __post_init__(self) -> None:
        """ValueError if an option can't work."""
        if unknown := self.quirks - QUIRKS.keys():
            known = ", ".join(QUIRKS)
            raise ValueError(f"no such quirk: {', '.join(sorted(unknown))}. There are: {known}")
        for name in ("delay", "jitter", "retries", "retry_pause"):
            if not 0 <= getattr(self, name) <= 86_400:
                raise ValueError(f"{name} is 0 to 86400")
        if self.keep < 1 or not 0 <= self.port <= 65_535:
            raise ValueError("keep is 1 or more, port 0 to 65535")
        for url in (self.callback_url, self.sms_callback_url, self.meta_callback_url):
            if url and not re.fullmatch(r"https?://[^\s/?#]+\S*", url):
                raise ValueError("a callback's URL begins with http:// or https:// and a host")
        for secret in self.events_secrets:
            signatures.key_of(secret)


def accepts(wanted: str, value: str) -> bool:
    """Whether an option that names the one value to accept accepts this one; if it names none,
    any but an empty one is.
    """
    return hmac.compare_digest(value.encode(), wanted.encode()) if wanted else bool(value)
