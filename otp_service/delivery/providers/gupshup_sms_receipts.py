"""Delivery reports of SMS, in whichever form they come: a query, a form, JSON or nearly JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from otp_service.delivery import failure_codes
from otp_service.delivery.failure_reasons import Trouble
from otp_service.delivery.parsing import Json, code, text, words
from otp_service.delivery.receipts import explained, receipt
from otp_service.domain.messages import Receipt
from otp_service.domain.verification import DeliveryStatus

NAME = "gupshup-sms"
_CODE = 3  # digits
_FACTS = ("status", "eventType", "errCode", "errorCode")  # the query has our own secret, too
MAX_REPORTS = 100  # Gupshup sends 20 at most

# Gupshup's documentation shows curly quotes, quotes missing on either side, and 000 as a number.
_REPORT = re.compile(r"\{([^{}]*)\}")
_FACT = re.compile(r'"?([A-Za-z]{1,20})"?\s*:\s*"?([^",\r\n]*)')
_QUOTES = str.maketrans(dict.fromkeys("“”„‟′″‘’'", '"'))


def read(body: object) -> list[Receipt]:
    """Delivery reports (docs.gupshup.io/docs/real-time-delivery-reports).

    ``body``: the query's parameters or a form as a mapping of texts, or a batch as it was posted:
    a list, or a text that may even be JSON.
    """
    return [found for report in reports_in(body) if (found := _receipt(report))]


def _receipt(report: Json) -> Receipt | None:
    status = report.get("status") or report.get("eventType")
    times = (report.get("deliveredTS"), report.get("eventTs"))
    found = receipt(NAME, status, (report.get("externalId"),), times)
    if found is None or found.status is not DeliveryStatus.FAILED:
        return found
    number = text(report.get("errCode")) or text(report.get("errorCode"))
    number = number and number.zfill(_CODE)  # JSON would make 3 of 003
    known = code(number) if len(number) <= _CODE else ""
    trouble = Trouble(known, words=words(report.get("cause")))
    facts = {name: report[name] for name in _FACTS if name in report}
    phones = (report.get("phoneNo"), report.get("destAddr"))
    return explained(found, failure_codes.SMS_RECEIPT, trouble, facts, *phones)


def reports_in(body: object) -> list[Mapping[str, object]]:
    """The reports in ``body``, each as it names its own facts."""
    if isinstance(body, bytes):
        body = body.decode(errors="replace")
    if isinstance(body, Mapping) and not body.keys() & {"externalId", "response"}:
        body = _unsplit(body)
    if isinstance(body, Mapping) and "response" in body:
        body = body["response"]
    if isinstance(body, str):
        body = _parsed(body)
    if isinstance(body, Mapping):
        body = [body]
    found: Iterable[object] = body if isinstance(body, list) else []
    return [report for report in found if isinstance(report, Mapping)][:MAX_REPORTS]


def _unsplit(form: Mapping[object, object]) -> str:
    """The text that was taken for a form: JSON, or the documentation's ``[response=``."""
    pairs = [pair for pair in form.items() if all(isinstance(part, str) for part in pair)]
    return "&".join(f"{name}={value}" for name, value in pairs)


def _parsed(text: str) -> object:
    try:
        found = json.loads(re.sub(r"^[\s\[]*response\s*=", "", text))
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, Mapping) and isinstance(found.get("response"), (list, Mapping)):
        found = found["response"]
    return found if isinstance(found, (list, Mapping)) else _salvaged(text)


def _salvaged(text: str) -> list[dict[str, str]]:
    reports = _REPORT.findall(text.translate(_QUOTES))
    return [{name: value.strip() for name, value in _FACT.findall(report)} for report in reports]
