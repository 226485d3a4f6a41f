#!/usr/bin/env bash
# Fails a real Postgres over under load, and asks whether the promises held. See --help.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/failover-test.sh [--events NAME...] [--ways haproxy|hosts...] [--rate N] [--keep]

Two Postgres nodes under Patroni, with etcd and HAProxy, and two services of two processes each, one
that reaches Postgres through HAProxy and one whose DATABASE_URL names both nodes. People sign in
(send, resend, wrong and right checks, repeats under their Idempotency-Key, races) while a leader is
switched over, crashes (asynchronous and synchronous replication), is cut off from the service or
from its cluster, or goes on although another one was promoted. Each event's cost is a line, then each
promise: no code accepted twice, no success forgotten, no answer over 3 seconds, and so on. The last
line counts; the exit code is 0 only if all held.

  --events NAME...  of switchover crash cut-service cut-cluster crash-lag frozen crash-sync, in this
                    order, also several times; without it all of them
  --ways WAY...     haproxy, hosts (without it both)
  --rate N          requests a second on each service (35)
  --keep            leave logs and data in their temporary folder, and say where

As root on Debian 12: what is missing of patroni, etcd-server, haproxy, postgresql-15 and iptables is
installed with apt-get, and their services are not started (Debian makes an empty cluster "main", which
stays). Everything runs in network namespaces of its own and a temporary folder, and is ended and removed.
It takes about 8 minutes, 400 MB of disk and 1 GB of memory; on a machine that is busy otherwise, answers
are late for that reason alone.
TEXT
}

keep=
arguments=()
for argument in "$@"; do
    case $argument in
        --help | -h) usage; exit 0 ;;
        --keep) keep=1 ;;
        *) arguments+=("$argument") ;;
    esac
done
[ "$(id -u)" = 0 ] || { echo "failover-test: it makes network namespaces: run it as root" >&2; exit 2; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$(dirname "$here")"
python=$PWD/.venv/bin/python
[ -x "$python" ] || { echo "failover-test: make run first: there is no .venv" >&2; exit 2; }

missing=()
for package in patroni etcd-server haproxy postgresql-15 iptables iproute2; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "# Installing ${missing[*]}"
    (
        # Debian starts what it installs, unless this file says no.
        policy=/usr/sbin/policy-rc.d
        if [ ! -e "$policy" ]; then
            trap 'rm -f "$policy"' EXIT
            printf '#!/bin/sh\nexit 101\n' >"$policy"
            chmod 755 "$policy"
        fi
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            "${missing[@]}" >/dev/null
    )
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/failover-test.XXXXXX")
run=fo$$
names=(etcd app a b)
network=10.213.0
addresses=()
for number in "${!names[@]}"; do
    addresses+=("${names[$number]}=$network.$((number + 1))")
done

clean_up() {
    local code=$?
    trap - EXIT INT TERM
    set +e
    for name in "${names[@]}"; do
        # Whatever runs in these namespaces was started here.
        ip netns pids "$run-$name" 2>/dev/null | xargs -r kill -9 2>/dev/null
    done
    for name in "${names[@]}"; do ip netns del "$run-$name" 2>/dev/null; done
    if [ -n "$keep" ]; then echo "# Logs and data: $work"; else rm -rf "$work"; fi
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A switch in etcd's namespace, and a cable from it to each of the others.
for name in "${names[@]}"; do
    ip netns add "$run-$name"
    ip -n "$run-$name" link set lo up
done
ip -n "$run-etcd" link add switch type bridge
ip -n "$run-etcd" address add "$network.1/24" dev switch
ip -n "$run-etcd" link set switch up
for number in 1 2 3; do
    name=${names[$number]}
    ip -n "$run-etcd" link add "to-$name" type veth peer name eth0 netns "$run-$name"
    ip -n "$run-etcd" link set "to-$name" master switch up
    ip -n "$run-$name" address add "$network.$((number + 1))/24" dev eth0
    ip -n "$run-$name" link set eth0 up
done

chmod 755 "$work" # Postgres runs as another user
install -d -o postgres -g postgres -m 700 "$work"/{a,b}{,/run}
mkdir "$work/haproxy" "$work/hosts"
ip netns exec "$run-app" "$python" -m scripts.failover \
    --folder "$work" --prefix "$run" --machines "${addresses[@]}" "${arguments[@]}" &
wait $! # and not in the foreground: a signal's trap would wait for its end
