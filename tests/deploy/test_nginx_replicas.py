"""deploy/nginx/otp.conf: limits for each address, and replicas that go away."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from otp_service.simulator import Simulator
from tests.deploy.conftest import MakeProxy
from tests.faults.gates import gate
from tests.faults.loopback import LOOPBACK
from tests.faults.processes import Server
from tests.faults.waiting import until

OTHER, SLOW = "+919876543211", "+919876543212"


def test_who_calls_too_often_gets_429_and_when_to_come_back(
    proxy_of: MakeProxy, replicas: list[Server]
) -> None:
    """The first 200 at once are let in, whatever the rate."""
    proxy = proxy_of([each.url for each in replicas], **{"rate=100r/s": "rate=1r/m"})
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda _: proxy.request("GET", "/health"), range(210)))
    assert Counter(each.status_code for each in told) == {200: 201, 429: 9}
    refused = next(each for each in told if each.status_code == 429)
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert refused.headers["Retry-After"] == "1"


def test_webhooks_have_a_limit_of_their_own(proxy_of: MakeProxy, replicas: list[Server]) -> None:
    changes = {"rate=100r/s": "rate=1r/m", "burst=200": "burst=1"}
    proxy = proxy_of([each.url for each in replicas], **changes)
    assert [proxy.request("GET", "/health").status_code for _ in range(3)] == [200, 200, 429]
    webhooks = {proxy.request("POST", "/webhooks/gupshup").status_code for _ in range(10)}
    assert webhooks == {403}


def test_an_address_has_so_many_requests_under_way(proxy_of: MakeProxy) -> None:
    asked: list[socket.socket] = []
    go_on = threading.Event()

    def slow(client: socket.socket) -> None:
        client.recv(10_000)
        asked.append(client)
        go_on.wait(60)
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with gate(slow) as port, ThreadPoolExecutor(2) as pool:
        url = f"http://{LOOPBACK}:{port}"
        proxy = proxy_of([url, url], **{"otp_connections 200": "otp_connections 2"})
        waiting = [pool.submit(proxy.request, "GET", "/health") for _ in range(2)]
        until(lambda: len(asked) == 2)
        assert proxy.request("GET", "/health").status_code == 429
        go_on.set()
        assert [each.result().status_code for each in waiting] == [200, 200]


def test_with_a_replica_away_nothing_fails_and_nothing_is_sent_twice(
    own_replicas: list[Server], proxy_of: MakeProxy, simulator: Simulator
) -> None:
    proxy = proxy_of([each.url for each in own_replicas])
    own_replicas[0].kill()
    for number in range(10):
        phone = f"+91987654{number:04}"
        sent = proxy.send(phone)
        assert sent.code == "ok"
        assert proxy.get(sent.id).code == "ok"
        code = simulator.last_code(phone)
        assert code
        assert proxy.verify(code, phone).code == "ok"
        assert len(simulator.messages(phone)) == 1
    until(lambda: '"replica_status": "502, 200"' in proxy.log_of("/send-otp"))


def test_one_that_is_back_is_asked_as_soon_as_the_other_stops(
    own_replicas: list[Server], proxy_of: MakeProxy
) -> None:
    """However long nginx would leave it alone: a restart of both, one after the other."""
    left_alone = {"fail_timeout=1s": "fail_timeout=1h"}
    proxy = proxy_of([each.url for each in own_replicas], **left_alone)
    for replica in (*own_replicas, *own_replicas):
        replica.stop()
        assert [proxy.verify("123456").status for _ in range(4)] == [200] * 4
        replica.start_again()
    assert [proxy.verify("123456").status for _ in range(4)] == [200] * 4


def test_a_look_at_a_replica_that_dies_is_answered_by_the_other(
    own_replicas: list[Server], proxy_of: MakeProxy
) -> None:
    """Two at once: one is asked of each, and the first takes its request and says nothing."""
    proxy = proxy_of([each.url for each in own_replicas])
    sent = proxy.send()
    own_replicas[0].freeze()
    with ThreadPoolExecutor(2) as pool:
        looks = [pool.submit(proxy.get, sent.id) for _ in range(2)]
        until(lambda: any(look.done() for look in looks))
        own_replicas[0].kill()
        assert [look.result().code for look in looks] == ["ok", "ok"]
    until(lambda: '"replica_status": "502, 200"' in proxy.log_of("/verifications/{id}"))


def test_a_send_at_a_replica_that_dies_is_not_sent_again_by_itself(
    own_replicas: list[Server], proxy_of: MakeProxy, simulator: Simulator
) -> None:
    """The provider has it, the answer is lost. nginx asks the first replica first."""
    proxy = proxy_of([each.url for each in own_replicas])
    simulator.script(fault="stall:7", next=1)
    with ThreadPoolExecutor(1) as pool:
        send = pool.submit(proxy.send, SLOW)
        until(lambda: len(simulator.messages(SLOW)) == 1)
        own_replicas[0].kill()
        assert (send.result().status, send.result().code) == (502, "unavailable")
    assert proxy.send(OTHER).code == "ok"
    assert len(simulator.messages(SLOW)) == 1
