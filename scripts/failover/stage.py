"""All that is started: the cluster, HAProxy, the provider's simulator, and the services."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.failover.cluster import PASSWORD, ROOT, Cluster, Node
from scripts.failover.network import Machine
from scripts.failover.service import Service

PROXY = ROOT / "deploy" / "postgres-ha" / "haproxy.cfg"
WAYS = ("haproxy", "hosts")
"""How a service reaches Postgres: by way of HAProxy, or with both nodes in its DATABASE_URL."""


class Stage:
    """``machines``: etcd, app, a and b. ``folder`` has one for each node and each way."""

    def __init__(self, machines: dict[str, Machine], folder: Path, ways: list[str]) -> None:
        self.app = machines["app"]
        self.folder = folder
        nodes = [Node(name, machines[name], folder / name, machines["etcd"]) for name in "ab"]
        self.cluster = Cluster(machines["etcd"], nodes, folder)
        self.addresses = [node.machine.address for node in nodes]
        both = ",".join(f"{address}:5432" for address in self.addresses)
        at = {
            "haproxy": "127.0.0.1:5000/haproxy",
            "hosts": f"{both}/hosts?target_session_attrs=read-write",
        }
        self.services = [
            Service(way, f"postgresql://otp:{PASSWORD}@{at[way]}", port, folder / way)
            for port, way in enumerate(ways, 8000)
        ]

    def start(self) -> None:
        self.cluster.start()
        leader = self.cluster.the_leader()
        leader.sql(f"CREATE ROLE otp LOGIN PASSWORD '{PASSWORD}'")
        for service in self.services:
            leader.sql(f"CREATE DATABASE {service.name} OWNER otp")
        a, b = self.addresses
        proxy = ["haproxy", "-db", "-f", str(PROXY)]
        self.app.start(proxy, self.folder / "haproxy.log", POSTGRES_A=a, POSTGRES_B=b)
        phones = ["-m", "otp_service.simulator", "--no-number-faults", "--keep", "2000"]
        self.app.start([sys.executable, *phones], self.folder / "simulator.log")
        for service in self.services:
            service.start()
