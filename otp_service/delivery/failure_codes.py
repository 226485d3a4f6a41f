"""One table: what each provider's codes and HTTP statuses mean, in the domain's words.

A family is a set of codes in which none has two meanings; the same number may mean something
else in another family.
"""

from __future__ import annotations

from otp_service.delivery.failure_words import DETAILED, OF_THE_TEMPLATE, of_words
from otp_service.domain import failures as f
from otp_service.domain.failures import Failure

HTTP = "HTTP"  # statuses; a provider's code is asked first, then the status, then its hundred
WHATSAPP = "WhatsApp"  # Gupshup's and Meta's: Meta's come through Gupshup, too
SMS = "SMS"  # Gupshup's answers to a send
SMS_RECEIPT = "SMS receipt"  # the ``errCode`` of Gupshup's delivery reports

REFUSING = frozenset({"error", "failed", "failure"})  # Gupshup's status where a 2xx is a refusal

_TABLE: dict[str, dict[Failure, str]] = {
    HTTP: {
        f.REFUSED: "4xx 2xx-error",
        f.CREDENTIALS_REJECTED: "401 403",
        f.REQUEST_REJECTED: "3xx",  # a redirect is never followed: the URL is wrong
        f.RATE_LIMITED: "429",
        f.PROVIDER_DOWN: "5xx",
        # 504 and 524: a gateway waited in vain, so its upstream has the request. A 2xx that can't
        # be read, or has no id, says "taken" all the same: voiding its code would strand a person
        # who holds the message, and sending again might send it twice.
        f.UNCONFIRMED: "504 524 2xx 1xx",
    },
    # Both lists in full, also what only other calls are answered with:
    # docs.gupshup.io/docs/error-and-status-messages, partner-docs.gupshup.io/docs/error-codes,
    # developers.facebook.com/documentation/business-messaging/whatsapp/support/error-codes and
    # developers.facebook.com/docs/graph-api/guides/error-handling. After a slash: Meta's subcode.
    WHATSAPP: {
        f.NOT_ON_WHATSAPP: "1002 1013",
        f.UNDELIVERABLE: "131026",
        f.MESSAGE_EXPIRED: "131043",
        f.OPTED_OUT: "1012 131050",
        f.RECIPIENT_CAPPED: "472 130472 131049",  # held out or capped, whatever we do today
        f.RECIPIENT_BLOCKED: "130403",
        f.RECIPIENT_IS_SENDER: "131021",
        f.UNSUPPORTED_DESTINATION: "130497",
        f.CREDENTIALS_REJECTED: "0 3 10 102 190 131005 "
        + " ".join(str(code) for code in range(200, 300)),  # Meta's permissions
        # 131063: it is of the category Marketing; 2388…: what keeps a template from being made
        f.TEMPLATE_REJECTED: """
            1004 1005 4003 131058 131063 132000 132001 132005 132007 132012 132018 134100
            2388019 2388040 2388047 2388072 2388073 2388293 2388299""",
        # 133… and 2388…: registering the number; 2593…: its history from the phone's own app
        f.SENDER_NOT_READY: """
            1001 4004 33 100/33 131030 131045 133000 133005 133006 133008 133009 133010 133015
            133016 136025 2388001 2388012 2388091 2388093 2388103 2593107 2593108""",
        # 1006 to 1008: the retired opt-in service; 470: what was sent was no template; 139200: a
        # direct send, which needs none; the rest is of media, insights and what else we don't use
        f.REQUEST_REJECTED: """
            470 131047 131062 1006 1007 1008 1009 1010 1011 100 506 131001 131002 131006 131008
            131009 131051 131052 131053 131055 131060 139200 200005 200006 200007""",
        # 13410…: Meta still makes it ready, or could not; 132068: the flow in it is blocked
        f.TEMPLATE_PAUSED: "4005 132015 132016 132068 134101 134102",
        f.BALANCE_EMPTY: "1003 131042",
        f.ACCOUNT_RESTRICTED: "368 131031 131037 131048 131064 134011",
        # 131057, 2494100: the account is in maintenance for some minutes
        f.RATE_LIMITED: """
            4 17 32 341 471 613 4001 80007 80008 130429 131057 132069 2494100""",
        f.RECIPIENT_RATE_LIMITED: "131056",
        f.PROVIDER_DOWN: "1 2 500 503 131000 131016 133004 135000",
        f.UNCONFIRMED: "4002",
    },
    # docs.gupshup.io/docs/send-message-to-single-number
    SMS: {
        f.CREDENTIALS_REJECTED: "101 102",
        f.INVALID_NUMBER: "105",
        f.REQUEST_REJECTED: "106",
        f.UNSUPPORTED_DESTINATION: "175",
    },
    # docs.gupshup.io/docs/real-time-delivery-reports
    SMS_RECEIPT: {
        f.RECIPIENT_ABSENT: "001",
        f.BARRED: "002 006 007",  # 006: do not disturb
        f.INVALID_NUMBER: "003",
        f.PROVIDER_DOWN: "004 005 008",
        f.OUTSIDE_HOURS: "009",
        f.REFUSED: "000",  # "success", of a message that failed
    },
}
FAMILIES = {
    family: {code: failure for failure, codes in table.items() for code in codes.split()}
    for family, table in _TABLE.items()
}


def meaning(family: str, code: str, words: str, subcode: str = "") -> Failure | None:
    """What this code means or, if it is in no list, these words; None if neither is known.

    Meta has codes that are about any parameter: then a ``subcode`` or the words tell which. Long
    subcodes are codes of their own.
    """
    table = FAMILIES[family]
    precise = table.get(f"{code}/{subcode}") or table.get(subcode if len(subcode) > 4 else "")
    if family == WHATSAPP and code in DETAILED:
        of_template = f.TEMPLATE_REJECTED if OF_THE_TEMPLATE.search(words) else None
        precise = precise or of_template or of_words(words)
    return precise or table.get(code) or of_words(words)
