"""What words mean where no code tells."""

from __future__ import annotations

import pytest

from otp_service.delivery.failure_codes import (
    WHATSAPP,
    meaning,
)


@pytest.mark.parametrize(
    "words",
    ["New kind of trouble", "An invalid destination", "Message undeliverable", "No", "words"],
)
def test_words_that_may_mean_anything_decide_nothing(words: str) -> None:
    assert meaning(WHATSAPP, "987654", words) is None
