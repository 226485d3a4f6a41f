"""What a signing key is called."""

from __future__ import annotations

from otp_service.proofs import keys as signing


def test_the_kid_is_the_thumbprint_that_rfc_8037_has_for_its_example() -> None:
    example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert signing._thumbprint(example) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
