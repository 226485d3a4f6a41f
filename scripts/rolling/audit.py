"""When all is over: was any code lost, or accepted twice?"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from scripts.rolling.journeys import Accepted


def is_clean(messages: list[dict[str, Any]], accepted: Accepted) -> bool:
    """``messages`` is all that reached the phones; a line says what became of it."""
    sent: dict[str, list[str]] = defaultdict(list)
    receipts: Counter[str] = Counter()
    for message in messages:
        sent[message["phone"]].append(message["code"])
        receipts.update(each["answer"] for each in message["callbacks"])
    lost = [phone for phone in sent if phone not in accepted]
    twice = [phone for phone, codes in accepted.items() if len(codes) > 1]
    wrong = [phone for phone, codes in accepted.items() if codes[0] != sent[phone][-1]]
    print(
        f"{len(messages)} messages to {len(sent)} phones: {len(accepted)} accepted once, "
        f"{len(lost)} never, {len(twice)} more than once, {len(wrong)} not the newest"
    )
    told = ", ".join(f"{count} x {answer}" for answer, count in receipts.most_common())
    print(f"receipts, as the provider was answered: {told}")
    return not (lost or twice or wrong)
