"""What a draft holds, and which phones get none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from otp_service.domain import phone
from otp_service.domain.destination import DestinationRules
from otp_service.domain.drafts import Draft, Issued, SendOptions
from otp_service.domain.errors import DestinationNotAllowed, InvalidRequest
from otp_service.domain.policy import Policy
from otp_service.domain.quotas import Block, Lock
from otp_service.domain.sending import AUTO, Sending
from otp_service.domain.verification import Channel, Person
from tests.domain.fakes import FakeOutbox, dispatch_over
from tests.domain.samples import (
    CODES,
    NOT_STORED,
    PERSON,
    PHONE,
    POLICY,
    STORED,
    TEN_MINUTES,
    TESTER,
    VERIFICATION,
)
from tests.fakes import FakeSender

WHATSAPP, SMS = FakeSender(), FakeSender(Channel.SMS, "fake-sms")


def draft(
    options: SendOptions = SendOptions(),  # noqa: B008
    person: Person = PERSON,
    senders: tuple[FakeSender, ...] = (WHATSAPP, SMS),
    policy: Policy = POLICY,
) -> Draft:
    dispatch = dispatch_over(FakeOutbox(), *senders, policy=policy)
    sending = Sending(dispatch, dispatch.outbox, CODES, policy)
    return sending.draft(person, phone.read(person.phone, policy.numbering), options)


def test_a_draft_holds_the_deployments_choices() -> None:
    made = draft()
    assert (made.lifetime, made.max_attempts) == (POLICY.lifetime, POLICY.max_attempts)


def test_what_is_kept_of_its_code_is_made_with_the_newest_secret() -> None:
    made = draft()
    assert made.secret_id == CODES.secrets[0].id
    assert made.mac_for("p01", 2) == CODES.mac(PERSON, "p01", 2)


def test_a_draft_knows_what_it_was_asked_for() -> None:
    options = SendOptions(locale="pt-BR", background=True)
    assert draft(options).options is options
    assert draft(options).person is PERSON


@pytest.mark.parametrize(
    ("asked", "channel", "provider", "sms_provider"),
    [
        ("whatsapp", Channel.WHATSAPP, "fake", None),
        ("sms", Channel.SMS, "fake-sms", None),
        (AUTO, Channel.WHATSAPP, "fake", "fake-sms"),
    ],
)
def test_only_auto_may_be_followed_by_an_sms(
    asked: str, channel: Channel, provider: str, sms_provider: str | None
) -> None:
    made = draft(SendOptions(channel=asked))
    assert (made.channel, made.provider, made.sms_provider) == (channel, provider, sms_provider)


def test_auto_without_a_provider_of_sms_is_whatsapp_alone() -> None:
    assert draft(SendOptions(channel=AUTO), senders=(WHATSAPP,)).sms_provider is None


def test_a_channel_without_a_provider_is_an_invalid_request() -> None:
    with pytest.raises(InvalidRequest) as caught:
        draft(SendOptions(channel="sms"), senders=(WHATSAPP,))
    assert caught.value.details == {"fields": {"channel": ["sms is not configured"]}}


def test_a_draft_is_for_the_first_provider_that_is_not_known_to_be_down() -> None:
    down = FakeSender(provider="down")
    down.is_available = False
    assert draft(senders=(down, WHATSAPP)).provider == "fake"


# --- what is counted ---


def test_a_message_is_counted_by_its_prefix_and_country() -> None:
    made = draft()
    assert (made.exempt, made.prefix, made.country) == (False, "+91987654", "IN")


def test_an_address_is_kept_as_a_pseudonym() -> None:
    made = draft(SendOptions(address="203.0.113.7"))
    assert made.address == CODES.pseudonyms("address", "203.0.113.7")[0]
    assert "203.0.113.7" not in repr(made)


def test_without_an_address_none_is_counted() -> None:
    assert draft().address is None


def test_addresses_of_one_network_count_as_one_user() -> None:
    one, same, other = (
        draft(SendOptions(address=address)).address
        for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
    )
    assert one == same != other


def test_a_phone_is_recognized_by_a_pseudonym_that_is_no_address_s() -> None:
    assert draft().phone_digest == CODES.pseudonyms("phone", PHONE)[0]
    assert draft().phone_digest != CODES.pseudonyms("address", PHONE)[0]


def test_a_test_number_s_message_is_counted_by_nothing() -> None:
    made = draft(SendOptions(address="203.0.113.7"), TESTER)
    assert made.exempt
    assert (made.address, made.prefix, made.country) == (None, None, None)


def test_a_test_number_s_message_stays_here_whatever_the_channel() -> None:
    for channel in ("whatsapp", "sms", AUTO):
        made = draft(SendOptions(channel=channel), TESTER)
        assert (made.provider, made.sms_provider) == ("sandbox", None)


# --- who gets none ---


@pytest.mark.parametrize(
    ("rules", "number", "reason"),
    [
        (DestinationRules(countries=frozenset({"US"})), PHONE, "country"),
        (DestinationRules(blocked_prefixes=("+9198",)), PHONE, "prefix"),
        (DestinationRules(), "+442079460000", "number_type"),
    ],
)
def test_a_phone_that_gets_no_messages_gets_no_draft(
    rules: DestinationRules, number: str, reason: str
) -> None:
    with pytest.raises(DestinationNotAllowed) as caught:
        draft(person=replace(PERSON, phone=number), policy=replace(POLICY, destinations=rules))
    assert (caught.value.phone, caught.value.details) == (number, {"reason": reason})


def test_no_rule_keeps_a_test_number_from_its_message() -> None:
    nobody = DestinationRules(countries=frozenset({"FR"}), blocked_prefixes=("+",))
    assert draft(person=TESTER, policy=replace(POLICY, destinations=nobody)).exempt


# --- what the store answered ---


BLOCK = Block(TEN_MINUTES, 60)
LOCK = Lock(BLOCK, too_many=False)


@pytest.mark.parametrize(
    ("issued", "refused"),
    [
        (STORED, False),
        (replace(STORED, limit=TEN_MINUTES), False),
        (NOT_STORED, False),
        (replace(NOT_STORED, limit=TEN_MINUTES), True),
        (replace(NOT_STORED, blocked=True), True),
        (replace(NOT_STORED, block=BLOCK), True),
        (replace(NOT_STORED, lock=LOCK), True),
    ],
)
def test_what_was_not_stored_for_a_reason_is_refused(issued: Issued, refused: bool) -> None:
    assert issued.refused is refused


@pytest.mark.parametrize(
    "issued", [replace(NOT_STORED, block=BLOCK), replace(NOT_STORED, lock=LOCK)]
)
def test_a_live_verification_comes_before_what_only_stands_in_a_new_one_s_way(
    issued: Issued,
) -> None:
    assert not replace(issued, live=VERIFICATION).refused
    assert replace(issued, live=VERIFICATION, generation=2).refused
