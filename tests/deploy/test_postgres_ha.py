"""deploy/postgres-ha/, which scripts/failover-test.sh tries: what its times have to keep to."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import yaml

from tests.system import need_program

FOLDER = Path(__file__).parent.parent.parent / "deploy" / "postgres-ha"
HAPROXY = FOLDER / "haproxy.cfg"
TIMES = yaml.safe_load((FOLDER / "patroni.yml").read_text())["bootstrap"]["dcs"]


def test_haproxy_takes_its_configuration() -> None:
    program = need_program("haproxy", "/usr/sbin/haproxy", package="haproxy")
    nodes = {"POSTGRES_A": "127.0.0.1", "POSTGRES_B": "127.0.0.2"}
    done = subprocess.run(
        [program, "-c", "-f", str(HAPROXY)],
        env=os.environ | nodes,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr


def test_a_leader_that_is_cut_off_steps_down_before_another_one_may_lead() -> None:
    assert TIMES["loop_wait"] + 2 * TIMES["retry_timeout"] <= TIMES["ttl"]
    assert TIMES["ttl"] >= 20  # Patroni's least


def test_haproxy_has_left_a_leader_that_hangs_before_another_one_may_lead() -> None:
    text = HAPROXY.read_text()
    (seconds,) = re.findall(r"timeout check (\d+)s", text)
    ((pause, checks),) = re.findall(r"default-server inter (\d+)s fall (\d+)", text)
    assert int(checks) * (int(pause) + int(seconds)) < TIMES["ttl"] - TIMES["loop_wait"]
    assert "on-marked-down shutdown-sessions" in text
