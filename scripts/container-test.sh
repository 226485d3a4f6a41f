#!/usr/bin/env bash
# Builds the image, runs it, and tries what its users were promised. See --help.
# shellcheck disable=SC1091,SC2034 # the variables here are used in the files that it sources
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: scripts/container-test.sh [--help]

Builds the Dockerfile of this repository and runs it and both compose files for real: alone as the
README says, hardened (docker-compose.prod.yml, with and without its Postgres, and watched by its
Prometheus), and for development (docker-compose.yml, with its Postgres, hot reload and Prometheus).
Grafana is not run. One line for each check; the first surprise
ends it with the containers' logs and exit code 1. The last line counts. What it started, it removes.

It uses Docker if a Docker engine answers (with its compose plugin). Otherwise, as root on Debian 12,
it uses buildah, podman and podman-compose, installs what is missing of them (apt-get, pip), and makes
stand-ins for the images with debootstrap, so it needs no image registry.

environment:
  CONTAINER_TEST_CACHE   a folder to keep the stand-ins and podman-compose in (default: made anew)
  CONTAINER_TEST_ENGINE  "docker" or "podman", instead of what was found
  PIP_INDEX_URL, PIP_EXTRA_INDEX_URL, PIP_TRUSTED_HOST, PIP_PROXY, PIP_CERT, PIP_RETRIES,
  PIP_DEFAULT_TIMEOUT    handed to the build's pip (podman only; PIP_CERT under /etc/ssl/certs)
TEXT
}

case "${1:-}" in
    "") ;;
    --help | -h) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
esac

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(dirname "$here")
work=$(mktemp -d "${TMPDIR:-/tmp}/container-test.XXXXXX")
run=ct$$                   # part of every name, so that nothing else is touched
image=whatsapp-otp-test:$run
source_copy=$work/source   # what is built and mounted: the repository itself is only read
passed=0
compose_up=()              # compose files that are up, for cleaning up
current=                   # the container whose log explains a failure

. "$here/containers/engine.sh"
. "$here/containers/checks.sh"

clean_up() {
    local code=$?
    trap - EXIT INT TERM
    set +e
    for file in "${compose_up[@]}"; do compose "$file" --profile postgres --profile observe down --volumes; done >>"$work/clean.log" 2>&1
    engine_clean_up >>"$work/clean.log" 2>&1
    rm -rf "$work" || echo "container-test: could not remove $work" >&2
    exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cd "$work" # podman's monitor leaves a file where it was started when memory ran out
engine_start
copy_source

echo "# The image"
check_build
check_image_contents

echo "# docker run, as the README says"
check_plain_run

echo "# The same volume, in a new container with a read-only root"
check_read_only_run

echo "# A database that is away"
check_run_without_database

echo "# docker-compose.yml: development"
check_development

echo "# docker-compose.prod.yml"
check_production

echo "# docker-compose.prod.yml --profile postgres"
check_production_with_postgres

echo "# docker-compose.prod.yml --profile observe"
check_production_watched

echo "container-test: $passed passed, 0 failed"
