#!/usr/bin/env bash
# Replaces two replicas behind a proxy, one by one, under load. See --help.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/rolling-restart-test.sh [--people N] [--seconds N] [--delay N] [--processes N]

Two replicas of the service behind HAProxy, on one Postgres, with a simulated provider that takes 50
to 300 ms. While people sign in through the proxy (send, resend, a wrong check, the right one, and
that once more), the following happens, one thing after the other:

  two replicas of the release before: the commit before the newest migration, on its own schema
  init-db of this release
  each replica is upgraded: drained at the proxy where it can't tell it by itself, SIGTERM, this release
  each replica is restarted by SIGTERM alone
  one is ended by SIGKILL: what was in flight there is repeated with its Idempotency-Key

One line for each: requests, how many were lost or failed, p99, the longest. At the end each code that
the phones got must have been accepted exactly once, and no receipt of the provider's was lost before.

options:
  --people N      who sign in at the same time (12)
  --seconds N     how long the load goes on after each step (5)
  --delay N       OTP_SHUTDOWN_DELAY_SECONDS of the replicas (3); with 0 some requests may be lost
  --processes N   WEB_CONCURRENCY of each replica (1)

needs:  HAProxy (apt-get install haproxy), git and this repository's history, and the .venv that
        `make test` makes. DATABASE_URL names a Postgres whose role may create databases; without it
        one is started in a temporary folder, from Python's packages.
takes:  two minutes, 1 GB of memory, a database that is dropped at the end, loopback only.
exits:  0 nothing was lost; 1 something was, or could not be tried; 2 wrong arguments.
TEXT
}

case "${1:-}" in
    --help | -h) usage; exit 0 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/.."
if ! command -v haproxy >/dev/null; then
    echo "rolling-restart-test: haproxy is not installed: apt-get install haproxy" >&2
    exit 1
fi
python=.venv/bin/python
[ -x "$python" ] || python=python3
exec "$python" -m scripts.rolling "$@"
