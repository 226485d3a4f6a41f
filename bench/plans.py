"""Which indexes Postgres uses: EXPLAIN of each statement of what the service runs.

The plans are those that a function of the session keeps: made without knowing any value.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa

from otp_service.storage.db.session import Statements
from otp_service.storage.models.dialects import SCHEMA

Node = dict[str, Any]
_READ_ALL = ("Sort", "Aggregate", "Hash", "Bitmap Heap Scan")  # before they give their first row


# They hold what waits for the worker: that is not more when more is stored.
_WAITING = {"receipts", "ix_deliveries_due_at"}
_FEW = {"provider_events"}  # the newest of each subject


@dataclass(frozen=True)
class Plan:
    """Of one statement. ``faults`` are the nodes that take longer with every row."""

    call: str
    statement: str
    indexes: tuple[str, ...]
    faults: tuple[str, ...]

    def __str__(self) -> str:
        told = ", ".join((*self.indexes, *(f"FAILED: {fault}" for fault in self.faults)))
        return f"{self.call:<20} {self.statement:<22} {told or '(no table)'}"


class Explainer:
    """Explains each transaction before it runs; each statement once for a call."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self.plans: dict[tuple[str, str], Plan] = {}

    @contextmanager
    def watching(self, call: str, *, run: bool = True) -> Iterator[None]:
        """Without ``run``, statements are explained, and then answered with no rows instead."""
        really = Statements.run

        def explain(which: Statements, dialect: sa.Dialect, *others: Any) -> None:
            for statement in which.explainable(dialect):
                if (call, statement) not in self.plans:
                    self.plans[call, statement] = self._explain(call, statement)
            if run:
                really(which, dialect, *others)
            else:
                _session, cursor, *_ = others
                cursor.execute("SELECT NULL")

        with patch.object(Statements, "run", explain):
            yield

    def _explain(self, call: str, statement: str) -> Plan:
        raw = self._engine.raw_connection()
        try:
            cursor = raw.cursor()  # VERBOSE names the schema of each table
            cursor.execute(f"EXPLAIN (GENERIC_PLAN, VERBOSE, FORMAT JSON) {statement}")
            ((answer,),) = cursor.fetchall()
        finally:
            raw.close()
        root = answer[0]["Plan"]
        nodes = list(_nodes(root))
        indexes = dict.fromkeys(node["Index Name"] for node, _ in nodes if "Index Name" in node)
        faults = dict.fromkeys(fault for node in nodes if (fault := _fault(*node)))
        return Plan(call, _title(root), tuple(indexes), tuple(faults))


def _nodes(node: Node, limited: bool = False) -> Iterator[tuple[Node, bool]]:
    """Each with whether a LIMIT stops it early."""
    yield node, limited
    kind = node["Node Type"]
    limited = kind == "Limit" or (limited and kind not in _READ_ALL)
    for child in node.get("Plans", ()):
        yield from _nodes(child, limited)


def _fault(node: Node, limited: bool) -> str | None:
    """What makes a node read more as rows pile up, if anything does."""
    if (_WAITING | _FEW).intersection((node.get("Relation Name"), node.get("Index Name"))):
        return None
    if node["Node Type"] == "Seq Scan" and node["Schema"] == SCHEMA:
        return f"Seq Scan on {node['Relation Name']}"
    if "Index Name" in node and not limited and " = " not in node.get("Index Cond", ""):
        return f"no single key of {node['Index Name']}"
    return None


def _title(node: Node) -> str:
    """Such as ``Insert verifications``."""
    if node["Node Type"] == "ModifyTable":
        return f"{node['Operation']} {node['Relation Name']}"
    return "Select"
