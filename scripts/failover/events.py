"""What happens to the cluster, one thing after the other, while people sign in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from scripts.failover.cluster import Cluster, Node, until
from scripts.failover.network import Machine

CUT_SECONDS = 15.0
LAG_SECONDS = 4.0  # for which the standby gets nothing: what is committed in them is lost
AFTERWARDS = 4.0  # before what was cut, frozen or dead comes back


@dataclass(frozen=True)
class Scene:
    """``service`` is the machine that the services run on."""

    cluster: Cluster
    service: Machine

    def pair(self) -> tuple[Node, Node]:
        """The leader and its standby, as soon as there are both."""
        until(self.cluster.is_whole, "a leader and a standby that follows")
        leader = self.cluster.the_leader()
        return leader, self.cluster.standby_of(leader)


def switchover(scene: Scene) -> None:
    leader, standby = scene.pair()
    names = ("--leader", leader.name, "--candidate", standby.name)
    scene.cluster.control("switchover", *names, "--force")


def crash(scene: Scene) -> None:
    leader, standby = scene.pair()
    _crash(leader, standby)


def crash_with_a_lag(scene: Scene) -> None:
    """The standby does not have what was committed last, and answered.

    They stay cut off until it leads: the kernel would deliver what a dead process has sent.
    """
    leader, standby = scene.pair()
    leader.machine.cut(standby.machine)
    time.sleep(LAG_SECONDS)
    leader.crash()
    until(lambda: _leads(standby), "a new leader")
    leader.machine.heal(standby.machine)
    time.sleep(AFTERWARDS)
    leader.start()


def crash_of_a_synchronous_leader(scene: Scene) -> None:
    leader, standby = scene.pair()
    scene.cluster.control("edit-config", "--set", "synchronous_mode=true", "--force")
    until(lambda: _is_synchronous(leader), "a synchronous standby")
    try:
        _crash(leader, standby)
        scene.pair()
    finally:
        scene.cluster.control("edit-config", "--set", "synchronous_mode=false", "--force")


def cut_from_the_service(scene: Scene) -> None:
    """The cluster is well, and sees nothing; the service does not see the leader."""
    leader, _ = scene.pair()
    scene.service.cut(leader.machine)
    time.sleep(CUT_SECONDS)
    scene.service.heal(leader.machine)


def cut_from_the_cluster(scene: Scene) -> None:
    """The service sees the leader, which sees neither etcd nor the standby: it has to step down."""
    leader, standby = scene.pair()
    others = (scene.cluster.etcd, standby.machine)
    for other in others:
        leader.machine.cut(other)
    until(lambda: _leads(standby), "a new leader")
    time.sleep(AFTERWARDS)
    for other in others:
        leader.machine.heal(other)


def frozen_patroni(scene: Scene) -> None:
    """Nobody tells the old leader's Postgres to step down: for a while there are two."""
    leader, standby = scene.pair()
    leader.freeze()
    until(lambda: _leads(standby), "a new leader")
    time.sleep(AFTERWARDS)
    leader.thaw()


EVENTS: dict[str, Callable[[Scene], None]] = {
    "switchover": switchover,
    "crash": crash,
    "cut-service": cut_from_the_service,
    "cut-cluster": cut_from_the_cluster,
    "crash-lag": crash_with_a_lag,
    "frozen": frozen_patroni,
    "crash-sync": crash_of_a_synchronous_leader,
}
NO_FAILOVER = {"cut-service"}


def _crash(leader: Node, standby: Node) -> None:
    leader.crash()
    until(lambda: _leads(standby), "a new leader")
    time.sleep(AFTERWARDS)
    leader.start()


def _leads(node: Node) -> bool:
    """By its own word: the former leader may still think that it is one."""
    state = node.state()
    return state.get("role") in ("master", "primary") and state.get("state") == "running"


def _is_synchronous(leader: Node) -> bool:
    following = leader.state().get("replication") or []
    return any(each["sync_state"] == "sync" for each in following)
