"""Send, resend, verify, cancel: what the service does, told in order."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from otp_service.domain import phone
from otp_service.domain.errors import (
    CodeAlreadySent,
    CodeIncorrect,
    CodeNotFound,
    HomeUnreachable,
    IdempotencyKeyReused,
    PhoneLocked,
    StorageUnavailable,
    TooManyAttempts,
    VerificationNotFound,
)
from otp_service.domain.idempotency import Repeats
from otp_service.domain.ports import (
    Check,
    Judged,
    PhoneQuestion,
    RequestKey,
    Store,
    StoredMessage,
    StoreState,
    Verdict,
    Wish,
)
from otp_service.domain.sending import Sending, Sent
from otp_service.domain.verification import Delivery, Person, Verification


class OtpService:
    """The domain's front door. Its methods raise `errors.OtpError` for what they refuse."""

    def __init__(self, store: Store, sending: Sending) -> None:
        self._store = store
        self._sending = sending
        self._codes = sending.dispatch.codes
        self._repeats = Repeats(store, sending)

    def person(self, client: str, written_phone: str, purpose: str) -> Person:
        """Raises `InvalidPhoneNumber`."""
        number = phone.normalize(written_phone, self._sending.dispatch.policy.numbering)
        return Person(client, number, purpose)

    def request_key(self, client: str, key: str, request: str) -> RequestKey:
        """An ``Idempotency-Key`` and the request it came with, as they are stored."""
        digest = hashlib.sha256(f"{client}\0{key}".encode()).hexdigest()
        return RequestKey(digest, self._codes.pseudonyms("request", request))

    def send(self, person: Person, wish: Wish = Wish()) -> Sent:  # noqa: B008 (it is frozen)
        """Start a verification and send its code."""
        self._sending.admit(person)
        issued = self._store.issue(person, partial(self._sending.draft, person, wish))
        if issued.earlier:
            return self._repeats.of_send(issued)
        if not issued.stored and issued.lock and issued.lock.too_many:
            raise PhoneLocked(phone=person.phone, **issued.lock.block.told())
        if not issued.stored and issued.live:
            raise CodeAlreadySent(issued.live, issued.quota, self._last_message(issued.live))
        return self._sending.deliver(issued)

    def _last_message(self, live: Verification) -> Delivery | None:
        with suppress(StorageUnavailable):  # the answer is right without it
            return self._store.last_message(live)
        return None

    def resend(self, person: Person, wish: Wish = Wish()) -> Sent:  # noqa: B008
        """Send the next code of the live verification, or start one if there is none."""
        self._sending.admit(person)
        draft_for = partial(self._sending.draft, person, wish)
        for _ in range(3):  # a resend or a check at the same moment may have been faster
            live = self._store.live(person)
            try:
                if live:
                    issued = self._store.reissue(draft_for(live.id, live.generation + 1))
                else:
                    issued = self._store.issue(person, draft_for)
            except HomeUnreachable:  # lost since we looked
                continue
            if issued.earlier:
                return self._repeats.of_send(issued)
            if issued.stored or issued.refused:
                return self._sending.deliver(issued)
        raise StorageUnavailable(retry_after=1)

    def verify(
        self,
        person: Person,
        code: str,
        verification_id: str | None = None,
        key: RequestKey | None = None,
    ) -> Verification:
        """Check the code a person typed: one round trip to the store.

        Raises `CodeIncorrect`, `CodeNotFound`, `TooManyAttempts`, `PhoneLocked` or
        `IdempotencyKeyReused`.
        """
        digest = self._codes.pseudonyms("phone", person.phone)[0]
        exempt = person.phone in self._sending.dispatch.policy.test_numbers
        check = Check(person, verification_id, self._codes.tags(person, code), digest, key, exempt)
        return _right_or_raise(self._store.check(check), person)

    def get(self, client: str, verification_id: str, *, support: bool = False) -> Verification:
        """One of the client's; for ``support`` anyone's, and the audit trail tells of it."""
        return _found(self._store.get(client, verification_id, support=support))

    def of_phone(
        self, client: str, written_phone: str, count: int, *, support: bool = False
    ) -> Sequence[Verification]:
        """The newest ones of a phone, as `get` tells each. May raise `InvalidPhoneNumber`."""
        number = self.person(client, written_phone, "").phone
        digest = self._codes.pseudonyms("phone", number)[0]
        return self._store.of_phone(PhoneQuestion(client, number, digest, count, support))

    def cancel(self, client: str, verification_id: str) -> Verification:
        """End a pending verification: its code never verifies. Idempotent."""
        return _found(self._store.cancel(client, verification_id))

    def inbox(self, count: int = 50) -> list[tuple[StoredMessage, str]]:
        """The messages that stayed on this machine, oldest first, each with its code."""
        test_sender = self._sending.dispatch.test_sender
        messages = self._store.recent_messages(test_sender.provider, count)
        return [(message, self._code_of(message)) for message in messages]

    def store_state(self) -> StoreState:
        return self._store.state()

    def _code_of(self, message: StoredMessage) -> str:
        found, generation = message.verification, message.delivery.generation
        try:
            return self._codes.make(found.phone, found.id, generation, message.secret_id)
        except LookupError:  # its secret was retired, and its code with it
            return ""


def _found(verification: Verification | None) -> Verification:
    if verification is None:
        raise VerificationNotFound
    return verification


def _right_or_raise(judged: Judged, person: Person) -> Verification:
    found, number = judged.verification, person.phone
    if judged.verdict is Verdict.KEY_REUSED:
        raise IdempotencyKeyReused(phone=number)
    if found is None:
        raise CodeNotFound(phone=number)
    if judged.verdict is Verdict.WRONG:
        wrong = CodeIncorrect(phone=number, attempts_remaining=found.attempts_remaining)
        wrong.repeated = found.repeated
        raise wrong
    if judged.verdict is Verdict.USED_UP:
        raise TooManyAttempts(
            phone=number,
            retry_after=found.seconds_left,
            limit="verification_attempts",
            allowed=found.max_attempts,
            resets_at=found.expires_at,
        )
    if judged.block:
        raise PhoneLocked(phone=number, **judged.block.told())
    return found
