"""What providers' words mean, where their code is missing, in no list, or means two things.

Words change without notice, so each pattern is one that can hardly mean anything else, and a
code that is in the table of `outcomes` goes before them.
"""

from __future__ import annotations

import re

from otp_service.domain import failures as f
from otp_service.domain.failures import Failure

# In this order; the first that is found decides.
_WORDS: tuple[tuple[Failure, str], ...] = (
    (
        f.BALANCE_EMPTY,
        r"(low|insufficient|no|not enough|out of) (wallet )?(balance|funds|credits?)\b"
        r"|balance (is )?(too )?(low|insufficient|exhausted)|wallet balance"
        r"|payment (issue|required)",
    ),
    (f.TEMPLATE_PAUSED, r"template (is |was |has been )?(paused|disabled)"),
    (
        f.TEMPLATE_REJECTED,
        r"template\b.{0,40}\b(not match|mismatch|not exist|not found|not approved|invalid)"
        r"|\binvalid template"
        r"|\b(param|parameter)s? (count )?mismatch|number of (localizable_)?param",
    ),
    (
        f.NOT_ON_WHATSAPP,
        r"\bnot (exists? |registered )?on whatsapp|\bnot a (valid )?whatsapp (user|number)",
    ),
    (f.OPTED_OUT, r"\bopted[ -]out"),
    (f.MESSAGE_EXPIRED, r"\bmessage (has )?expired"),
    (f.RECIPIENT_RATE_LIMITED, r"\bpair rate limit"),
    (f.RATE_LIMITED, r"\btoo many requests|\brate limit|\bmaintenance mode"),
    (f.ACCOUNT_RESTRICTED, r"\baccount (is |has been )?(locked|restricted|blocked|suspended)"),
    (
        f.SENDER_NOT_READY,
        r"\bobject with id\b.{0,60}\bnot exist|\b(account|number|sender) (is )?not registered",
    ),
    (
        f.CREDENTIALS_REJECTED,
        r"\bauthentication fail|\bunauthori[sz]ed\b|\bportal user not found"
        r"|\binvalid (app details|api ?key|credentials|(oauth )?access token|user ?id or password)"
        r"|\baccess token (has )?expired",
    ),
    # The names that reports of SMS have for their codes.
    (f.RECIPIENT_ABSENT, r"\babsent[ _]subscriber"),
    (
        f.INVALID_NUMBER,
        r"\b(unknown|invalid)[ _]subscriber|\bnot a valid (phone|mobile) number"
        r"|^invalid destination\b",  # Gupshup's own, of its list of answers
    ),
    (f.BARRED, r"\bcall[ _]barred|\bdnd[ _](fail|reject)"),
    (f.PROVIDER_DOWN, r"\b(service[ _]down|system[ _]failure|dnd[ _]timeout)"),
    (f.OUTSIDE_HOURS, r"\boutside[ _]working[ _]hours"),
)
WORDS = tuple((failure, re.compile(pattern, re.IGNORECASE)) for failure, pattern in _WORDS)

# Codes of Meta's for any parameter: about these it is the template that the message doesn't fit.
DETAILED = frozenset({"100", "131008", "131009"})
OF_THE_TEMPLATE = re.compile(r"\b(buttons?|components?|template|localizable_params)\b", re.I)


def of_words(words: str) -> Failure | None:
    """What they say, whatever the provider; None if they say nothing that is known."""
    return next((failure for failure, pattern in WORDS if pattern.search(words)), None)
