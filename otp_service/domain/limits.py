"""The numbers, and what each protects from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limit:
    """At most ``count`` events in any ``seconds`` (a sliding window)."""

    count: int
    seconds: int

    def shared_by(self, instances: int) -> Limit:
        """This limit's part in each of so many stores that don't know of each other."""
        return Limit(max(1, self.count // instances), self.seconds)

    def __str__(self) -> str:
        return f"{self.count} in {self.seconds} seconds"


# Messages to one phone: keeps a person from being flooded, and the bill from being pumped.
SENDS = (Limit(5, 600), Limit(20, 86_400))

# Wrong guesses for one phone, over all its verifications: each verification has its own cap,
# but without this one an attacker simply starts another verification (NIST SP 800-63B, 3.2.2).
FAILURES = (Limit(10, 3_600), Limit(30, 86_400))


@dataclass(frozen=True)
class Policy:
    """A deployment's choices.

    ``lifetime`` of a code in seconds; ``max_attempts`` wrong guesses for one verification;
    ``grace`` earlier codes that stay valid after a resend; ``expose_code`` in answers (sandbox);
    ``test_numbers`` in E.164 never leave this machine and have no send limits; ``sms_after`` so
    many seconds without a receipt of its arrival, a message that may be is followed by an SMS.
    """

    lifetime: int
    max_attempts: int
    grace: int
    expose_code: bool
    test_numbers: frozenset[str]
    sms_after: int = 30
