"""Send, resend, verify, cancel: what the service does, told in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress

from otp_service.domain import phone
from otp_service.domain.checks import Check, CheckResult, Verdict
from otp_service.domain.codes import Codes, bind, tag
from otp_service.domain.drafts import Draft, RequestKey, SendOptions
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
from otp_service.domain.given_codes import open_code
from otp_service.domain.idempotency import Repeats, request_key
from otp_service.domain.policy import Policy
from otp_service.domain.ports import PhoneQuery, Store, StoredMessage
from otp_service.domain.sending import Sending, Sent
from otp_service.domain.verification import Delivery, Person, Verification

_LOOKED_THROUGH = 100  # verifications of a phone, which are of any purpose


class OtpService:
    """The domain's front door. Its methods raise `errors.OtpError` for what they refuse.

    Wherever they take a person, the phone may be as somebody typed it: `InvalidPhoneNumber` says
    what is wrong with it.
    """

    def __init__(
        self,
        store: Store,
        sending: Sending,
        codes: Codes,
        policy: Policy,
        in_turn: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        """``in_turn`` is held by whoever sends."""
        self._in_turn = in_turn
        self._store = store
        self._sending = sending
        self._codes = codes
        self._policy = policy
        self._repeats = Repeats(store, sending)

    def request_key(self, client: str, key: str, request: str) -> RequestKey:
        """An ``Idempotency-Key`` and the request it came with, as they are stored."""
        return request_key(self._codes, client, key, request)

    def send(self, person: Person, options: SendOptions = SendOptions()) -> Sent:  # noqa: B008
        """Start a verification and send its code."""
        with self._in_turn():
            return self._send(person, options)

    def _send(self, person: Person, options: SendOptions) -> Sent:
        issued = self._store.issue(self._draft(person, options))
        if issued.earlier:
            return self._repeats.of_send(issued)
        phone = issued.draft.person.phone
        if not issued.outgoing and issued.lock and issued.lock.too_many:
            raise PhoneLocked(phone=phone, **issued.lock.block.details)
        if not issued.outgoing and issued.live:
            raise CodeAlreadySent(issued.live, issued.quota, self._last_message(issued.live))
        return self._sending.deliver(issued)

    def _draft(self, person: Person, options: SendOptions) -> Draft:
        number = phone.read(person.phone, self._policy.numbering)
        reached = Person(person.client, number.e164, person.purpose)
        return self._sending.draft(reached, number, options)

    def _last_message(self, live: Verification) -> Delivery | None:
        with suppress(StorageUnavailable):  # the answer is right without it
            return self._store.last_message(live)
        return None

    def resend(self, person: Person, options: SendOptions = SendOptions()) -> Sent:  # noqa: B008
        """Send the next code of the live verification, or start one if there is none."""
        with self._in_turn():
            return self._resend(person, options)

    def _resend(self, person: Person, options: SendOptions) -> Sent:
        draft = self._draft(person, options)
        for _ in range(3):  # a resend or a check at the same moment may have been faster
            live = self._store.live(draft.person)
            try:
                if live:
                    issued = self._store.reissue(draft, live.id, live.generation + 1)
                else:
                    issued = self._store.issue(draft)
            except HomeUnreachable:  # lost since we looked
                continue
            if issued.earlier:
                return self._repeats.of_send(issued)
            if issued.outgoing or issued.refused:
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
        number = phone.read(person.phone, self._policy.numbering).e164
        person = Person(person.client, number, person.purpose)
        check = Check(
            person,
            verification_id,
            tags=self._codes.tags(person, code),
            phone_digest=self._codes.pseudonyms("phone", number)[0],
            key=key,
            exempt=number in self._policy.test_numbers,
        )
        return _right_or_raise(self._store.check(check), number)

    def get(self, client: str, verification_id: str, *, support: bool = False) -> Verification:
        """One of the client's; for ``support`` anyone's, and the audit trail tells of it."""
        return _found(self._store.get(client, verification_id, support=support))

    def begun(self, verification_id: str) -> Verification:
        """As `get` tells it, for who has just begun it: it counts as the same request."""
        return _found(self._store.begun(verification_id))

    def of_phone(
        self, client: str, typed: str, count: int, *, support: bool = False
    ) -> Sequence[Verification]:
        """The newest ones of a phone, as `get` tells each. May raise `InvalidPhoneNumber`."""
        number = phone.read(typed, self._policy.numbering).e164
        digest = self._codes.pseudonyms("phone", number)[0]
        return self._store.of_phone(PhoneQuery(client, number, digest, count, support))

    def id_of(self, digits: str) -> str:
        """The id that has these 32 digits, for callers who know it without its home's letter."""
        return self._store.id_of(digits)

    def newest(self, person: Person) -> Verification:
        """The person's live verification, or the newest that has ended; as `get` tells it.

        Raises `VerificationNotFound`, or `InvalidPhoneNumber`.
        """
        number = phone.read(person.phone, self._policy.numbering).e164
        live = self._store.live(Person(person.client, number, person.purpose))
        if live:
            return self.get(person.client, live.id)
        of_phone = self.of_phone(person.client, number, _LOOKED_THROUGH)
        return _found(next((each for each in of_phone if each.purpose == person.purpose), None))

    def cancel(self, client: str, verification_id: str) -> Verification:
        """End a pending verification: its code never verifies. Idempotent."""
        return _found(self._store.cancel(client, verification_id))

    def inbox(self, count: int = 50) -> list[tuple[StoredMessage, str]]:
        """The messages that stayed on this machine, oldest first, each with its code."""
        kept_by = self._sending.dispatch.test_sender.provider
        messages = self._store.recent_messages(kept_by, count)
        return [(message, self._code_of(message)) for message in messages]

    def _code_of(self, message: StoredMessage) -> str:
        found, generation = message.verification, message.delivery.generation
        its = (message.secret_id, found.id, generation)
        try:
            if message.sealed is not None:
                return open_code(self._codes, message.sealed, *its)
            code = self._codes.make(found.phone, found.id, generation, message.secret_id)
            secret = self._codes.secret(message.secret_id)
        except LookupError:  # its secret was retired, and its code with it; or it was wiped
            return ""
        person = Person(found.client, found.phone, found.purpose)
        is_ours = message.mac == bind(found.id, tag(secret, person, code))
        return code if is_ours else ""  # else a caller made it, and it has ended


def _found(verification: Verification | None) -> Verification:
    if verification is None:
        raise VerificationNotFound
    return verification


def _right_or_raise(result: CheckResult, number: str) -> Verification:
    found = result.verification
    if result.verdict is Verdict.KEY_REUSED:
        raise IdempotencyKeyReused(phone=number)
    if found is None:
        raise CodeNotFound(phone=number)
    if result.verdict is Verdict.WRONG:
        wrong = CodeIncorrect(phone=number, attempts_remaining=result.attempts_remaining)
        wrong.repeated, wrong.verification = found.repeated, found
        raise wrong
    if result.verdict is Verdict.USED_UP:
        raise TooManyAttempts(
            phone=number,
            retry_after=found.seconds_left,
            limit="verification_attempts",
            allowed=found.max_attempts,
            resets_at=found.expires_at,
        )
    if result.block:
        raise PhoneLocked(phone=number, **result.block.details)
    return found
