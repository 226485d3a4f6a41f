"""What our figures are compared with: bare Flask on plain waitress, nothing tuned.

`python -m bench.floor flask|floor|sqlite PORT [DATABASE]`: a route that does nothing, or one
statement by primary key with its commit. Each thread keeps its own connection.
"""

from __future__ import annotations

import random
import sqlite3
import sys
import threading
from collections.abc import Callable

import psycopg2
from flask import Flask
from waitress import serve

ROWS = 10_000
THREADS = 16
_TABLE = f"""
DROP TABLE IF EXISTS floor;
CREATE TABLE floor (id integer PRIMARY KEY, n integer NOT NULL);
INSERT INTO floor WITH RECURSIVE rows (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM rows WHERE
n < {ROWS}) SELECT n, 0 FROM rows;
"""
_UPDATE = "UPDATE floor SET n = n + 1 WHERE id = {} RETURNING n"
_local = threading.local()


def _postgres(url: str) -> Callable[[], int]:
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(_TABLE)
    connection.close()

    def update() -> int:
        if not hasattr(_local, "connection"):
            _local.connection = psycopg2.connect(url)
            _local.connection.autocommit = True
        with _local.connection.cursor() as cursor:
            cursor.execute(_UPDATE.format("%s"), (random.randint(1, ROWS),))
            return int(cursor.fetchone()[0])

    return update


def _sqlite(path: str) -> Callable[[], int]:
    """With what the service's own file has: a log of changes that is on the disk at each commit."""
    with sqlite3.connect(path) as connection:
        connection.executescript(f"PRAGMA journal_mode = WAL; BEGIN; {_TABLE} COMMIT;")
    connection.close()

    def update() -> int:
        if not hasattr(_local, "connection"):
            _local.connection = sqlite3.connect(path, timeout=30, isolation_level=None)
            _local.connection.execute("PRAGMA synchronous = FULL")
        row = _local.connection.execute(_UPDATE.format("?"), (random.randint(1, ROWS),))
        return int(row.fetchone()[0])

    return update


def _app(work: Callable[[], int]) -> Flask:
    app = Flask(__name__)

    @app.get("/")
    def index() -> dict[str, int]:
        return {"n": work()}

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "healthy"}

    return app


def _nothing() -> int:
    return 0


def main() -> None:
    kind, port, *database = sys.argv[1:]
    kinds = {"floor": _postgres, "sqlite": _sqlite}
    work = kinds[kind](*database) if kind in kinds else _nothing
    serve(_app(work), host="127.0.0.1", port=int(port), threads=THREADS)


if __name__ == "__main__":
    main()
