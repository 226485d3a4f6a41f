"""Why a message did not arrive: stable public codes, and what each means in plain words.

Which provider's code means which of these is the adapters' business (`delivery/failure_codes.py`).
"""

from __future__ import annotations

import logging
from enum import Enum

from otp_service.domain.values import value


class Outcome(Enum):
    """Whose trouble it is, and so what may be done about it."""

    RECIPIENT = "this phone can't be reached on this channel"
    DESTINATION = "nobody in this country can be reached on this channel"
    REFUSED = "refused, and the provider does not tell whose fault it is"
    CONFIGURATION = "our settings, template or request are wrong"
    ACCOUNT = "the account needs its owner: an empty wallet, a paused template, a lock"
    TEMPORARY = "nothing was taken; later it may be"
    UNKNOWN = "it may have been taken"


@value
class Failure:
    """``code`` never changes its meaning; ``advice`` is for whoever runs the service."""

    code: str
    outcome: Outcome
    explanation: str
    advice: str = ""

    @property
    def operator_text(self) -> str:
        """The code, and what to do, or what it means where there is nothing to do."""
        return f"{self.code}: {self.advice or self.explanation}"

    @property
    def level(self) -> int:
        """How loudly to log it: what only the operator can mend fails every message."""
        ours = self.outcome in (Outcome.CONFIGURATION, Outcome.ACCOUNT)
        return logging.ERROR if ours else logging.WARNING


_RECIPIENT, _ACCOUNT, _OURS = Outcome.RECIPIENT, Outcome.ACCOUNT, Outcome.CONFIGURATION

NOT_ON_WHATSAPP = Failure("not_on_whatsapp", _RECIPIENT, "This number is not on WhatsApp.")
UNDELIVERABLE = Failure(
    "undeliverable",
    _RECIPIENT,
    "WhatsApp can't deliver to this number at present: it may not be on WhatsApp, its app may be "
    "too old, or the new terms have not been accepted.",
)
OPTED_OUT = Failure("opted_out", _RECIPIENT, "This person does not want messages from this sender.")
RECIPIENT_CAPPED = Failure(
    "recipient_capped", _RECIPIENT, "WhatsApp limits what this person is sent at present."
)
RECIPIENT_BLOCKED = Failure(
    "recipient_blocked",
    _RECIPIENT,
    "This sender has blocked this person.",
    "If that was not meant, unblock the person among the sender's blocked users.",
)
RECIPIENT_IS_SENDER = Failure(
    "recipient_is_sender", _RECIPIENT, "This number is the one that the messages are sent from."
)
MESSAGE_EXPIRED = Failure(
    "message_expired",
    _RECIPIENT,
    "It could not be delivered within its life: the phone was off or out of reach.",
)
INVALID_NUMBER = Failure("invalid_number", _RECIPIENT, "The network does not know this number.")
BARRED = Failure("barred", _RECIPIENT, "This number does not accept such messages.")
UNSUPPORTED_DESTINATION = Failure(
    "unsupported_destination",
    Outcome.DESTINATION,
    "This account may not send to this country.",
    "Ask the provider to enable the country.",
)
REFUSED = Failure(
    "refused",
    Outcome.REFUSED,
    "The provider refused the message.",
    "See the provider's own reason, and its documentation.",
)
CREDENTIALS_REJECTED = Failure(
    "credentials_rejected",
    _OURS,
    "The provider does not accept the credentials.",
    "Check the key, its kind (a self-serve key is not an enterprise account's) and the app name.",
)
TEMPLATE_REJECTED = Failure(
    "template_rejected",
    _OURS,
    "The message does not fit the template, or there is no such template.",
    "Check the template's id and language, and how often it takes the code "
    "(GUPSHUP_OTP_PARAM_COUNT: 2 with a copy-code button). At Meta it must be an authentication "
    "template whose button copies the code.",
)
SENDER_NOT_READY = Failure(
    "sender_not_ready",
    _OURS,
    "The sending number is not registered or not live, or its id is wrong.",
    "Finish the registration of the number and let the app go live. At Meta, check "
    "META_PHONE_NUMBER_ID, and that the token is allowed to use it.",
)
REQUEST_REJECTED = Failure(
    "request_rejected",
    _OURS,
    "The provider does not understand the request.",
    "Check the provider's URL. If it is right, this is a fault of the service: report it.",
)
NOT_CONFIGURED = Failure(
    "not_configured",
    _OURS,
    "A setting of the sender is missing or can't be used.",
    "The reason names the setting.",
)
OUTSIDE_HOURS = Failure(
    "outside_hours",
    _OURS,
    "The network takes no such messages at this hour.",
    "Ask the provider to register the account for one-time codes, which are taken at any hour.",
)
TEMPLATE_PAUSED = Failure(
    "template_paused",
    _ACCOUNT,
    "The template is paused or disabled.",
    "See the template's quality in the provider's dashboard, and use another until it is back.",
)
BALANCE_EMPTY = Failure(
    "balance_empty", _ACCOUNT, "The account has no money left.", "Top up the wallet, pay the bill."
)
ACCOUNT_RESTRICTED = Failure(
    "account_restricted",
    _ACCOUNT,
    "The account is locked, restricted or not approved.",
    "See the account's status in the provider's and Meta's dashboards.",
)
RATE_LIMITED = Failure("rate_limited", Outcome.TEMPORARY, "The provider takes no more at present.")
RECIPIENT_RATE_LIMITED = Failure(
    "recipient_rate_limited", Outcome.TEMPORARY, "Too many messages to this person at once."
)
RECIPIENT_ABSENT = Failure(
    "recipient_absent", Outcome.TEMPORARY, "The phone is switched off or out of reach."
)
PROVIDER_DOWN = Failure(
    "provider_down", Outcome.TEMPORARY, "The provider has a fault, or can't be reached."
)
UNCONFIRMED = Failure(
    "unconfirmed", Outcome.UNKNOWN, "The provider gave no clear answer: it may or may not arrive."
)
OVERTAKEN = Failure(
    "overtaken", Outcome.REFUSED, "It was not sent: its code had ended or been replaced before."
)

FAILURES = {
    failure.code: failure for failure in list(globals().values()) if isinstance(failure, Failure)
}


def explain(code: str | None) -> str | None:
    """What the failure means, in plain words."""
    failure = FAILURES.get(code or "")
    return failure.explanation if failure else None
