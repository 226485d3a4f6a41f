"""When all is over: was any code lost, or accepted twice, or a receipt lost before the kill?"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from scripts.rolling.journeys import Accepted

UNDER_WAY = timedelta(seconds=1)  # a receipt may have been, when its replica was killed


def is_clean(messages: list[dict[str, Any]], accepted: Accepted, killed: datetime) -> bool:
    """``messages`` is all that reached the phones; two lines say what became of it."""
    sent: dict[str, list[str]] = defaultdict(list)
    for message in messages:
        sent[message["phone"]].append(message["code"])
    lost = [phone for phone in sent if phone not in accepted]
    twice = [phone for phone, codes in accepted.items() if len(codes) > 1]
    wrong = [phone for phone, codes in accepted.items() if codes[0] != sent[phone][-1]]
    print(
        f"{len(messages)} messages to {len(sent)} phones: {len(accepted)} accepted, "
        f"{len(lost)} never, {len(twice)} more than once, {len(wrong)} not the newest"
    )
    return _all_receipts_came(messages, killed) and not (lost or twice or wrong)


def _all_receipts_came(messages: list[dict[str, Any]], killed: datetime) -> bool:
    """The provider repeats what is lost when a replica is killed; before that none may be."""
    tries = [each for message in messages for each in message["callbacks"]]
    failed = [each for each in tries if not each["answer"].startswith("2")]
    early = [each for each in failed if datetime.fromisoformat(each["at"]) < killed - UNDER_WAY]
    print(f"{len(tries)} receipts: {len(failed)} lost and repeated, {len(early)} before the kill")
    return not early
