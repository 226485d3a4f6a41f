"""What each earlier release had written, by the revision of its schema, for tests of upgrades.

Rows are of the columns that were there, and hold what that release put into them: codes that are
out, one that was used, one with a guess left; keys; and since their revisions the outbox, limits,
the audit trail, keys that sign.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from otp_service.domain.codes import Codes, Secret
from otp_service.domain.verification import Person
from otp_service.proofs import keys as signing
from otp_service.storage import api_keys
from otp_service.storage.models.dialects import timeline
from tests.conftest import SECRET
from tests.storage.upgrades import insert

CLIENT, KEY, REVOKED, NEXT = "shop", "otp_the-shops", "otp_revoked", "otp_the-shops-next"
CODES = Codes([Secret(bytes.fromhex(SECRET))], 6)
LIVE, NAMED, USED, GUESSED, CROWDED, DISABLED = (
    Person(CLIENT, f"+91987654321{number}", "login") for number in range(6)
)
"""Who has a code that is out, twice; who has used it; who has one guess left; who got as many
messages as he may; whose phone is disabled (since 0005).
"""
DUE = Person(CLIENT, "+919876543219", "login")
"""Whose message waits for a worker (since 0003)."""

Row = dict[str, Any]


def ago(seconds: float) -> sa.ColumnElement[Any]:
    return sa.func.from_now(-seconds)


def id_of(person: Person) -> str:
    return f"p{int(person.phone[1:]):032x}"


def code_of(person: Person) -> str:
    return CODES.make(person.phone, id_of(person), 1, CODES.secret_id)


class Earlier:
    """Writes as the release with this ``revision`` did."""

    def __init__(self, engine: sa.Engine, revision: str) -> None:
        self.engine = engine
        self._revision = revision
        self._count = 0  # of attempts
        self.sealed = signing.make(CODES.secrets[0])

    def since(self, revision: str) -> bool:
        return self._revision >= revision

    def write(self) -> None:
        for person in (LIVE, NAMED):
            self._verification(person)
        self._verification(USED, status="verified", verified_at=ago(5))
        self._attempt(USED, correct=True)
        self._verification(GUESSED, attempts=4)
        for _ in range(4):
            self._attempt(GUESSED, correct=False)
        self._verification(CROWDED, status="canceled", canceled_at=ago(5))
        for number in range(2, 6):
            self._delivery(CROWDED, number)
        self._keys()
        if self.since("0003"):
            self._outbox()
        if self.since("0005"):
            self._limits_and_audit()
        if self.since("0008"):
            self._provider_event()
        if self.since("0009"):
            self._add("requests", id="r" * 32, client=CLIENT, created_at=ago(60))
        if self.since("0012"):
            self._add("request_slots", client=CLIENT, number=0, taken_at=ago(60))
        if self.since("0014"):
            self._event()

    def _add(self, table: str, **values: Any) -> None:
        insert(self.engine, table, **values)

    def _verification(self, person: Person, **more: Any) -> None:
        row: Row = vars(person) | {"id": id_of(person), "channel": "whatsapp", "status": "pending"}
        row |= {"generation": 1, "oldest_generation": 1, "attempts": 0, "max_attempts": 5}
        row |= {"created_at": ago(10), "expires_at": ago(-170)}
        if self.since("0002"):
            row |= {"timeline": timeline()}
        if self.since("0005"):
            row |= {"country": "IN"}
        self._add("verifications", **row | more)
        mac, of = CODES.mac(person, id_of(person), 1), {"verification_id": id_of(person)}
        code = {"generation": 1, "mac": mac, "secret_id": CODES.secret_id}
        self._add("codes", **of, **code, expires_at=ago(-170))
        self._delivery(person, 1)

    def _delivery(self, person: Person, number: int, **more: Any) -> None:
        row: Row = {"id": f"d{number}-{person.phone}", "verification_id": id_of(person)}
        row |= {
            "phone": person.phone,
            "generation": 1,
            "channel": "whatsapp",
            "provider": "gupshup",
        }
        row |= {"status": "submitted", "created_at": ago(10), "submitted_at": ago(9)}
        row |= {"provider_message_id": f"m-{person.phone}-{number}"}
        if self.since("0003"):
            row |= {"background": False, "auto": False, "tries": 1}
        if self.since("0005"):
            row |= {"prefix": person.phone[:-4], "address": "a" * 64}
        if self.since("0009"):
            row |= {"client": CLIENT}
        self._add("deliveries", **row | more)

    def _attempt(self, person: Person, *, correct: bool) -> None:
        self._count += 1
        row: Row = {
            "id": f"a{self._count}",
            "verification_id": id_of(person),
            "phone": person.phone,
        }
        row |= {"correct": correct, "created_at": ago(8)}
        if self.since("0003"):
            row |= {"failures": 0 if correct else self._count}
        self._add("attempts", **row)

    def _keys(self) -> None:
        row: Row = {"scopes": "otp read", "created_at": ago(86_400)}
        self._add("api_keys", name=CLIENT, digest=api_keys.digest(KEY), **row)
        ended = {"name": "gone", "revoked_at": ago(60)}
        self._add("api_keys", digest=api_keys.digest(REVOKED), **row | ended)
        if self.since("0011"):
            self._add("api_keys", name=CLIENT, digest=api_keys.digest(NEXT), **row)

    def _outbox(self) -> None:
        self._verification(DUE)
        self._delivery(DUE, 2, status="queued", submitted_at=None, background=True, due_at=ago(1))
        receipt: Row = {
            "id": "e1",
            "provider": "gupshup",
            "provider_message_id": f"m-{LIVE.phone}-1",
        }
        times = {name: ago(1) for name in ("at", "created_at", "due_at")}
        self._add("receipts", **receipt, status="delivered", **times)

    def _limits_and_audit(self) -> None:
        self._verification(DISABLED)
        self._add(
            "phones", phone=DISABLED.phone, failures=100, disabled_at=ago(60), updated_at=ago(60)
        )
        self._add("client_requests", client=CLIENT, used=3, began_at=ago(60))
        times = {"created_at": ago(86_400), "signs_from": ago(86_000)}
        self._add("signing_keys", **vars(self.sealed), **times)
        digest = CODES.pseudonyms("phone", LIVE.phone)[0]
        entry = {"actor": CLIENT, "action": "verification.started", "verification_id": id_of(LIVE)}
        self._add("audit", **entry, at=ago(10), phone="+91****3210", phone_digest=digest)

    def _provider_event(self) -> None:
        event: Row = {"provider": "gupshup", "kind": "template", "name": "t", "topic": "status"}
        event |= {"state": "approved", "level": "fine", "at": ago(60), "created_at": ago(60)}
        self._add("provider_events", id="v" * 64, **event)

    def _event(self) -> None:
        endpoint: Row = {"id": "n1", "url": "https://example.com", "types": "", "with_phone": True}
        sealed = {"secret": "sealed", "secret_id": CODES.secret_id}
        self._add("event_endpoints", **endpoint, **sealed, created_at=ago(60))
        event: Row = {"id": "evt_1", "endpoint_id": "n1", "verification_id": id_of(USED)}
        event |= {"type": "verification.verified", "status": "verified", "channel": "whatsapp"}
        self._add("events", number=1000, **event, at=ago(5), tries=0, due_at=ago(5))
