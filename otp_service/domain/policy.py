"""A deployment's choices about codes and messages."""

from __future__ import annotations

from dataclasses import field
from functools import cached_property

from otp_service.domain.destination import DestinationRules
from otp_service.domain.phone import Numbering
from otp_service.domain.values import value


@value
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
    destinations: DestinationRules = field(default_factory=DestinationRules)

    @cached_property
    def numbering(self) -> Numbering:
        """How numbers are read here."""
        return self.destinations.numbering(self.test_numbers)
