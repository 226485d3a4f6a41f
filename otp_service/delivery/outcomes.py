"""One table: what each provider's codes and HTTP statuses mean, in the domain's words.

A family is a set of codes in which none has two meanings; the same number may mean something
else in another family.
"""

from __future__ import annotations

from otp_service.domain import failures as f
from otp_service.domain.failures import Failure

HTTP = "HTTP"  # statuses; a provider's code is asked first, then the status, then its hundred
WHATSAPP = "WhatsApp"  # Gupshup's and Meta's: Meta's come through Gupshup, too
SMS = "SMS"  # Gupshup's answers to a send
SMS_RECEIPT = "SMS receipt"  # the ``errCode`` of Gupshup's delivery reports

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
    # docs.gupshup.io/docs/error-and-status-messages,
    # developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
    WHATSAPP: {
        f.NOT_ON_WHATSAPP: "1002 1013",
        f.UNDELIVERABLE: "131026",
        f.OPTED_OUT: "1012 131050",
        f.RECIPIENT_CAPPED: "472 130472 131049",  # held out or capped, whatever we do today
        f.UNSUPPORTED_DESTINATION: "130497",
        f.CREDENTIALS_REJECTED: "0 10 190 131005 "
        + " ".join(str(code) for code in range(200, 300)),  # Meta's permissions
        f.TEMPLATE_REJECTED: "1004 1005 4003 132000 132001 132005 132007 132012",
        f.SENDER_NOT_READY: "1001 4004 131030 131045 133010",
        # 1006 to 1008: the retired opt-in service; 470: what was sent was no template
        f.REQUEST_REJECTED: """
            470 131047 131062
            1006 1007 1008 1009 1010 1011 100 131008 131009 131051""",
        f.TEMPLATE_PAUSED: "4005 132015 132016",
        f.BALANCE_EMPTY: "1003 131042",
        f.ACCOUNT_RESTRICTED: "368 131031 131037 131048",
        f.RATE_LIMITED: "4 471 4001 80007 130429 131057",
        f.RECIPIENT_RATE_LIMITED: "131056",
        f.PROVIDER_DOWN: "1 2 500 503 131000 131016",
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
