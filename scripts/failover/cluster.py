"""Two Postgres nodes under Patroni, with etcd: deploy/postgres-ha/patroni.yml, as it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2

from scripts.failover.network import Machine

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIGURATION = ROOT / "deploy" / "postgres-ha" / "patroni.yml"
PASSWORD = "only-in-here"
PATIENCE = 90.0  # seconds for what takes half a minute
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Surprise(Exception):
    """The test can't go on: it says why."""


@dataclass
class Node:
    """``name`` is Patroni's, and that of its folder, which belongs to the user postgres."""

    name: str
    machine: Machine
    folder: Path
    etcd: Machine
    _patroni: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        host = self.machine.address
        environ = {
            "PATRONI_NAME": self.name,
            "PATRONI_ETCD3_HOSTS": f"{self.etcd.address}:2379",
            "PATRONI_POSTGRESQL_DATA_DIR": str(self.folder / "data"),
            "PATRONI_POSTGRESQL_PGPASS": str(self.folder / "pgpass"),
        }
        for what, port in (("RESTAPI", 8008), ("POSTGRESQL", 5432)):
            environ[f"PATRONI_{what}_LISTEN"] = f"{host}:{port}"
            environ[f"PATRONI_{what}_CONNECT_ADDRESS"] = f"{host}:{port}"
        users = {"SUPERUSER": "postgres", "REPLICATION": "replicator", "REWIND": "rewind"}
        for role, name in users.items():
            environ[f"PATRONI_{role}_USERNAME"] = name
            environ[f"PATRONI_{role}_PASSWORD"] = PASSWORD
        # Whoever enters a namespace has mounts of its own: there, sockets are this node's alone.
        own_sockets = f'mount --bind {self.folder / "run"} /run/postgresql && exec "$@"'
        become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
        self._patroni = self.machine.start(
            ["sh", "-c", own_sockets, "sh", *become, "patroni", str(CONFIGURATION)],
            self.folder / "log",
            **environ,
        )

    def crash(self) -> None:
        self.machine.crash()
        assert self._patroni
        self._patroni.wait()

    def freeze(self) -> None:
        """Patroni hangs; its Postgres goes on."""
        assert self._patroni
        os.kill(self._patroni.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._patroni
        os.kill(self._patroni.pid, signal.SIGCONT)

    def state(self) -> dict[str, Any]:
        """What its Patroni says of it, {} if it says nothing."""
        try:
            with _opener.open(f"http://{self.machine.address}:8008/patroni", timeout=1) as answer:
                found: dict[str, Any] = json.load(answer)
        except (OSError, ValueError):
            return {}
        return found

    def sql(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run and commit this as the superuser; its rows."""
        connection = psycopg2.connect(
            host=self.machine.address, dbname=database, user="postgres", password=PASSWORD,
            connect_timeout=5,
        )  # fmt: skip
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


class Cluster:
    """``etcd`` is its machine: it is reached by both nodes until somebody cuts it off."""

    def __init__(self, etcd: Machine, nodes: list[Node], folder: Path) -> None:
        self.etcd = etcd
        self.nodes = nodes
        self._folder = folder

    def start(self) -> None:
        """The first node makes the cluster, the second one copies it."""
        url = f"http://{self.etcd.address}:2379"
        self.etcd.start(
            ["etcd", "--data-dir", str(self._folder / "etcd"), "--listen-client-urls", url,
             "--advertise-client-urls", url, "--listen-peer-urls", "http://127.0.0.1:2380",
             "--unsafe-no-fsync"],
            self._folder / "etcd.log",
        )  # fmt: skip
        self.nodes[0].start()
        until(lambda: self.leader() is self.nodes[0], "a first leader")
        self.nodes[1].start()
        until(self.is_whole, "a standby that follows")

    def leader(self) -> Node | None:
        """Who can write, by its own Patroni; None while there is none, or no certainty."""
        leaders = [node for node in self.nodes if node.state().get("role") in ("master", "primary")]
        return leaders[0] if len(leaders) == 1 else None

    def the_leader(self) -> Node:
        until(self.leader, "a leader")
        leader = self.leader()
        assert leader
        return leader

    def standby_of(self, leader: Node) -> Node:
        return next(node for node in self.nodes if node is not leader)

    def is_whole(self) -> bool:
        """A leader, and a standby on its timeline that gets what it writes."""
        leader = self.leader()
        if leader is None:
            return False
        following = leader.state().get("replication") or []
        standby = self.standby_of(leader).state()
        return standby.get("state") == "running" and any(
            each["state"] == "streaming" for each in following
        )

    def control(self, *arguments: str) -> None:
        """patronictl, which asks etcd."""
        done = subprocess.run(
            ["patronictl", "-c", str(CONFIGURATION), *arguments],
            capture_output=True, text=True, check=False, timeout=60,
            env=os.environ | {"PATRONI_ETCD3_HOSTS": f"{self.etcd.address}:2379"},
        )  # fmt: skip
        if done.returncode:
            raise Surprise(f"patronictl {arguments[0]}: {done.stdout}{done.stderr}")


def until(true: Callable[[], object], what: str, seconds: float = PATIENCE) -> float:
    """Wait for it; the seconds it took. Raises `Surprise` if it takes too many."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise Surprise(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - began
