"""Postgres goes away in the midst of a call: what was lost is not told as something else."""

from __future__ import annotations

import pytest

from tests.faults.cluster import Cluster
from tests.faults.proxy import Proxy
from tests.faults.service import Caller

pytestmark = pytest.mark.usefixtures("patient")


def test_a_lost_answer_to_an_issue_starts_over_and_its_orphan_is_of_no_use(
    caller: Caller, proxy: Proxy, cluster: Cluster
) -> None:
    proxy.cut_before_reply(b"pg_temp.issue_")
    sent = caller.send()
    assert (sent.code, sent.id[0]) == ("ok", "s")
    [(orphan, deliveries)] = cluster.sql(
        "SELECT v.id, count(d.submitted_at) FROM otp_service.verifications v"
        " JOIN otp_service.deliveries d ON d.verification_id = v.id GROUP BY v.id"
    )
    assert orphan != sent.id
    assert deliveries == 0
    assert caller.verify(sent.otp).code == "ok"
    assert caller.verify(sent.otp, verification_id=orphan).code == "invalid_otp"


def test_a_lost_answer_to_a_check_is_503_and_the_code_stays_used(
    caller: Caller, proxy: Proxy
) -> None:
    sent = caller.send()
    proxy.cut_before_reply(b"pg_temp.check_code_")
    assert caller.verify(sent.otp).status == 503
    assert caller.verify(sent.otp).code == "otp_not_found"
    assert caller.get(sent.id).data["status"] == "verified"


def test_a_check_that_never_arrived_is_503_and_the_code_is_not_used(
    caller: Caller, proxy: Proxy
) -> None:
    sent = caller.send()
    proxy.cut_before_request(b"pg_temp.check_code_")
    assert caller.verify(sent.otp).status == 503
    assert caller.verify(sent.otp).code == "ok"


@pytest.mark.parametrize("when", ["before_request", "before_reply", "after_reply"])
def test_a_message_whose_record_was_lost_verifies_all_the_same(
    caller: Caller, proxy: Proxy, when: str
) -> None:
    getattr(proxy, f"cut_{when}")(b"pg_temp.submitted_")
    sent = caller.send()
    assert (sent.code, sent.id[0]) == ("ok", "p")
    assert caller.verify(sent.otp).code == "ok"


@pytest.mark.parametrize("when", ["before_request", "before_reply", "after_reply"])
def test_a_resend_that_lost_postgres_midway_goes_on_in_the_fallback(
    caller: Caller, proxy: Proxy, when: str
) -> None:
    first = caller.send()
    getattr(proxy, f"cut_{when}")(b"pg_temp.reissue_")
    second = caller.resend()
    assert second.code == "ok"
    assert caller.verify(second.otp).code == "ok"
    assert caller.verify(second.otp).code == "otp_not_found"
    assert first.id[0] == "p"
