"""What can go wrong, as one table: `TABLE`. Everything else reads it.

A fault is what the send call gets for an answer and which receipts follow, in words:

answers   ``accepted``; ``http:STATUS``, refused; ``retry-after:SECONDS``, 429 that says when;
          ``text``, ``nested``, refused in another shape; ``stall:SECONDS``, accepted that late;
          ``closed``, no answer; ``html``, ``garbage``, ``error-200``, ``no-id``: answers that
          don't say what they should.
receipts  ``enqueued``, ``sent``, ``delivered``, ``read``; ``failed:CODE``, as Meta's failures come;
          ``sync-failed:CODE``, as Gupshup's own; ``unknown``, for SMS.

The service's events, too, can be answered so, by a script alone: they have no number.
"""

from __future__ import annotations

from dataclasses import dataclass

WHATSAPP, SMS = "whatsapp", "sms"
EVENTS = "events"  # no message's channel: what the service tells


@dataclass(frozen=True)
class Fault:
    """``ending``: the last five digits of the phone numbers that have it.

    ``receipts`` is None for those of a message without a fault. ``arrives``: the phone shows it.
    ``early``: the receipts come before the answer. ``channel`` is where it happens; a number with
    a fault of SMS is not on WhatsApp, so that the SMS is tried.
    """

    ending: str
    name: str
    description: str
    answer: str = "accepted"
    receipts: tuple[str, ...] | None = None
    arrives: bool = True
    early: bool = False
    channel: str = WHATSAPP


def _refused(ending: str, answer: str, description: str) -> Fault:
    return Fault(ending, answer, description, answer, (), arrives=False)


def _failed(code: int, description: str) -> Fault:
    """Codes below 5000 are Gupshup's own: it tells of them before Meta has the message."""
    receipts = (f"sync-failed:{code}",) if 1000 < code < 5000 else ("enqueued", f"failed:{code}")
    return Fault(
        f"{code:05}"[-5:], f"failed:{code}", description, "accepted", receipts, arrives=False
    )


def _receipts(
    ending: str, name: str, description: str, words: str, *, arrives: bool = True
) -> Fault:
    return Fault(ending, name, description, "accepted", tuple(words.split()), arrives)


def _sms(ending: str, word: str, description: str) -> Fault:
    return Fault(
        ending, f"sms-{word}", description, "accepted", (word,), arrives=False, channel=SMS
    )


def _sms_refused(ending: str, answer: str, description: str) -> Fault:
    return Fault(ending, f"sms-{answer}", description, answer, (), arrives=False, channel=SMS)


OK = Fault("", "ok", "Nothing goes wrong.")

TABLE = (
    # The send call is refused, and nothing arrives.
    _refused("00400", "http:400", "400: the destination is invalid."),
    _refused("00401", "http:401", "401: authentication failed."),
    _refused("00403", "http:403", "403: forbidden."),
    _refused("00429", "http:429", "429 without Retry-After, as Gupshup documents it."),
    _refused("90429", "retry-after:30", "429 with Retry-After: 30."),
    _refused("00500", "http:500", "500: internal server error."),
    _refused("00503", "http:503", "503: service unavailable."),
    _refused("90200", "error-200", 'HTTP 200, but its body says "error".'),
    _refused("90001", "html", "An HTML page with status 200, as from a proxy."),
    _refused("90002", "garbage", "Bytes that are no JSON, with status 200."),
    _refused("90006", "text", "400 in plain text: Invalid App Details."),
    _refused("90007", "nested", '400 with {"error": {"code": 132000, …}}.'),
    _refused("90003", "closed", "The connection is closed without an answer; nothing was taken."),
    # The answer leaves it open, but the message arrives.
    Fault("90004", "closed-taken", "No answer either, but the message was taken.", "closed"),
    Fault("90005", "no-id", "202 without a message id; the message arrives.", "no-id"),
    Fault("90030", "stall:30", "The answer takes 30 seconds; the message arrives.", "stall:30"),
    # The receipts are not as one would wish.
    Fault("90010", "early", "All receipts come before the send call's answer.", early=True),
    _receipts("90011", "lost", "The message arrives, but no receipt ever comes.", ""),
    _receipts("90012", "offline", "The phone is off: sent, never delivered.",
              "enqueued sent", arrives=False),
    _receipts("90013", "no-delivered", "Arrives; only `delivered` is lost.", "enqueued sent"),
    _receipts("90014", "duplicated", "Each receipt comes twice.",
              "enqueued enqueued sent sent delivered delivered"),
    _receipts("90015", "reordered", "The receipts come in the wrong order.",
              "delivered sent enqueued"),
    _receipts("90016", "read-only", "`read` without `delivered`.", "enqueued sent read"),
    _receipts("90017", "failed-then-delivered", "131026, and then delivered after all.",
              "enqueued failed:131026 delivered"),
    _receipts("90018", "delivered-then-failed", "Delivered, and then a late 131026.",
              "enqueued sent delivered failed:131026"),
    # Accepted, and then failed: the ending is the code's last five digits.
    _failed(1001, "Last Mile Sandbox Mapping Mismatch"),
    _failed(1002, "Number Does Not Exists On WhatsApp"),
    _failed(1003, "Unable To Send Message | Check Your Wallet Balance"),
    _failed(1004, "Template messaging is disabled for this app"),
    _failed(1005, "User is inactive for session message and template did not match"),
    _failed(1008, "User is not Opted in and Inactive"),
    _failed(1012, "User has opted out"),
    _failed(1013, "User does not exist"),
    _failed(4001, "API rate limit hit"),
    _failed(4002, "Invalid response from WhatsApp"),
    _failed(4003, "Template Did Not Match"),
    _failed(4005, "Template is paused"),
    _failed(470, "More than 24 hours have passed since the customer last replied"),
    _failed(471, "Rate limit hit"),
    _failed(130403, "Business has blocked this user"),
    _failed(130429, "Rate limit hit"),
    _failed(130472, "User's number is part of an experiment"),
    _failed(130497, "Business account is restricted from messaging users in this country"),
    _failed(131008, "Required parameter is missing"),
    _failed(131021, "Recipient cannot be sender"),
    _failed(131026, "Message undeliverable"),
    _failed(131031, "Business account has been locked"),
    _failed(131037, "Display name has not been approved"),
    _failed(131042, "Business eligibility payment issue"),
    _failed(131043, "Message expired"),
    _failed(131047, "Re-engagement message"),
    _failed(131048, "Spam rate limit hit"),
    _failed(131049, "This message was not delivered to maintain healthy ecosystem engagement"),
    _failed(131056, "Pair rate limit hit"),
    _failed(131064, "Message limit reached"),
    _failed(132000, "Number of parameters does not match the expected number of params"),
    _failed(132001, "Template name does not exist in the translation"),
    _failed(132015, "Template is paused"),
    _failed(132016, "Template is disabled"),
    _failed(133010, "Phone number not registered"),
    _failed(9999, "low balance"),
    _failed(2494100, "Account is in maintenance mode"),
    # SMS. On WhatsApp these numbers fail with 131026.
    _sms_refused("70102", "http:401", "Error 102: authentication failed."),
    _sms_refused("70105", "http:400", "Error 105: the number is invalid."),
    _sms_refused("70500", "http:500", "HTTP 500."),
    Fault("70030", "sms-stall:30", "The answer takes 30 seconds.", "stall:30", channel=SMS),
    Fault("70090", "sms-lost", "The SMS arrives, no report comes.", "accepted", (), channel=SMS),
    _sms("70001", "failed:001", "ABSENT_SUBSCRIBER"),
    _sms("70002", "failed:002", "CALL_BARRED"),
    _sms("70003", "failed:003", "UNKNOWN_SUBSCRIBER"),
    _sms("70004", "failed:004", "SERVICE_DOWN"),
    _sms("70005", "failed:005", "SYSTEM_FAILURE"),
    _sms("70006", "failed:006", "DND_FAIL"),
    _sms("70007", "failed:007", "BLOCKED"),
    _sms("70008", "failed:008", "DND_TIMEOUT"),
    _sms("70009", "failed:009", "OUTSIDE_WORKING_HOURS"),
    _sms("70099", "unknown", "The report says UNKNOWN."),
)  # fmt: skip
