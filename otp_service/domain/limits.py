"""The numbers, and what each protects from."""

from __future__ import annotations

import math
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from otp_service.domain.values import value


@value
class Limit:
    """At most ``count`` events in any ``seconds`` (a sliding window), or at once if they are 0.

    ``name`` says what is counted; callers read it in a refusal, so it never changes its meaning.
    """

    name: str
    count: int
    seconds: int

    def shared_by(self, instances: int) -> Limit:
        """This limit's part in each of so many stores that don't know of each other."""
        return replace(self, count=max(1, self.count // instances))

    def ends_at(self, since: datetime) -> datetime:
        """When a window that began then has passed."""
        return since + timedelta(seconds=self.seconds)

    @property
    def details(self) -> dict[str, Any]:
        """For the refusal."""
        per = {"per_seconds": self.seconds} if self.seconds else {}
        return {"limit": self.name, "allowed": self.count, **per}


COUNTED = {
    "phone_sends": "messages to it",
    "purpose_sends": "messages for this purpose",
    "resend_cooldown": "messages for this purpose",
    "address_sends": "messages from this address",
    "phone_failures": "wrong guesses",
    "phone_refusals": "refused messages to it",
    "client_refusals": "refused messages of one client",
    "live_verifications": "live verifications of it",
    "failures_in_a_row": "wrong guesses in a row",
}
"""What each limit counts, by its name."""


def seconds_until(end: datetime, now: datetime) -> int:
    """Whole seconds to wait, 1 at least."""
    return max(1, math.ceil((end - now).total_seconds()))


def limits(name: str, *windows: tuple[int, int]) -> tuple[Limit, ...]:
    """Several windows over the same events: pairs of a count and seconds."""
    return tuple(Limit(name, count, seconds) for count, seconds in windows)


class Guard(str, Enum):
    """What the guard against pumping does with what looks like it."""

    OFF = "off"
    OBSERVE = "observe"
    ENFORCE = "enforce"


@value
class Pumping:
    """When sends look like toll fraud: messages that somebody earns with, and nobody reads.

    More than ``numbers.count`` numbers of one prefix (a number less its last four digits), or
    less than ``percent`` verified of a country's newest ``sends`` whose codes have ended.
    """

    guard: Guard = Guard.OBSERVE
    numbers: Limit = Limit("prefix_numbers", 10, 600)
    sends: int = 50
    percent: int = 20


DAY = 86_400
FAILURES_IN_A_ROW = 100  # the most that NIST SP 800-63B-4, 3.2.2 allows
LOCKED_FOR = DAY  # seconds told where only an operator ends a lock


@value
class Limits:
    """What a deployment allows.

    Messages to one phone (keeps a person from being flooded, and the bill from being pumped), to
    one phone for one purpose, and for one end user's address. Messages to one phone or of one
    client that the provider refused for the recipient's sake: they cost nothing, so nothing else
    bounds them. Live verifications of one phone. Wrong guesses for one phone over all its
    verifications: each has its own cap, but an attacker would simply start another one (NIST
    SP 800-63B-4, 3.2.2). Requests of one client.
    """

    phone_sends: tuple[Limit, ...] = limits("phone_sends", (5, 600), (20, DAY))
    purpose_sends: tuple[Limit, ...] = ()
    address_sends: tuple[Limit, ...] = limits("address_sends", (20, 600), (100, DAY))
    cooldown: tuple[Limit, ...] = ()
    phone_refusals: tuple[Limit, ...] = limits("phone_refusals", (10, 3_600))
    client_refusals: tuple[Limit, ...] = limits("client_refusals", (100, 600))
    live_verifications: Limit = Limit("live_verifications", 3, 0)
    phone_failures: tuple[Limit, ...] = limits("phone_failures", (10, 3_600), (30, DAY))
    failures_in_a_row: int = FAILURES_IN_A_ROW
    max_attempts: int = 5
    """Wrong guesses of one verification."""
    client_requests: Limit | None = None
    pumping: Pumping = field(default_factory=Pumping)

    @property
    def sends(self) -> tuple[Limit, ...]:
        """All that messages which go out must keep to, in the order that the store counts them."""
        return self.phone_sends + self.purpose_sends + self.cooldown + self.address_sends

    @property
    def in_a_row(self) -> Limit:
        """``failures_in_a_row``: they count without a window, however long ago they were made."""
        return Limit("failures_in_a_row", self.failures_in_a_row, 0)

    @property
    def guess_ceilings(self) -> tuple[Limit, ...]:
        """How many wrong guesses for a phone are ever judged, whatever was named.

        In the shortest window those of one verification more than its limit, at which checks by
        phone alone end.
        """
        shortest = min(self.phone_failures, key=lambda limit: limit.seconds)
        above = replace(shortest, count=shortest.count + self.max_attempts)
        return tuple(above if limit is shortest else limit for limit in self.phone_failures)

    def shared_by(self, instances: int) -> Limits:
        """The part of each of so many stores."""
        if instances == 1:
            return self

        def part(windows: tuple[Limit, ...]) -> tuple[Limit, ...]:
            return tuple(limit.shared_by(instances) for limit in windows)

        return replace(
            self,
            phone_sends=part(self.phone_sends),
            purpose_sends=part(self.purpose_sends),
            address_sends=part(self.address_sends),
            phone_refusals=part(self.phone_refusals),
            client_refusals=part(self.client_refusals),
            live_verifications=self.live_verifications.shared_by(instances),
            phone_failures=part(self.phone_failures),
            client_requests=self.client_requests and self.client_requests.shared_by(instances),
        )
