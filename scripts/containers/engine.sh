# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables shared with container-test.sh and checks.sh
# What differs between a Docker engine and buildah with podman. Sourced by container-test.sh.
#
# Sets $engine, a command that understands `run`, `exec`, `inspect`, `logs`, `stop` and `rm`.

engine=
containers=() # started by start_container

engine_start() {
    engine=${CONTAINER_TEST_ENGINE:-}
    if [ -z "$engine" ]; then
        if timeout 20 docker info >/dev/null 2>&1; then engine=docker; else engine=podman; fi
    fi
    echo "# Engine: $engine"
    case "$engine" in
        docker) docker compose version >/dev/null || fail "docker has no compose plugin" ;;
        podman) podman_start ;;
        *) fail "CONTAINER_TEST_ENGINE is neither docker nor podman" ;;
    esac
    "$engine" network create "$run" >/dev/null
}

engine_clean_up() {
    [ -n "$engine" ] || return 0
    if [ "$engine" = podman ]; then
        # All that is in our own storage is ours; without it this would be somebody else's.
        [ "${CONTAINERS_STORAGE_CONF:-}" = "$work/storage.conf" ] || return 0
        podman rm --all --force --time 2
        podman network prune --force
        podman volume prune --force
        for folder in "$work"/storage/overlay/*/merged "$work/storage/overlay"; do
            if mountpoint --quiet "$folder"; then umount "$folder"; fi
        done
    else
        for name in "${containers[@]}"; do docker rm --force --volumes "$name"; done
        docker volume rm --force "$run"
        docker network rm "$run"
        docker image rm "$image"
    fi
}

# Without systemd podman warns at each start that no timer will run the health checks: they are run here.
podman() { command podman --log-level fatal "$@"; }

# -- buildah and podman ---------------------------------------------------------------------------

podman_start() {
    [ "$(id -u)" = 0 ] || fail "without a Docker engine this needs root"
    cache=${CONTAINER_TEST_CACHE:-$work/cache}
    mkdir -p "$cache"
    install_missing
    configure_podman
    # shellcheck disable=SC1091
    . "$here/containers/stand-ins.sh"
    stand_in_python
    stand_in_postgres
    stand_in_prometheus
}

# The Debian packages, and podman-compose in an environment of its own.
install_missing() {
    local missing=() tool
    for tool in buildah podman runc debootstrap iptables; do
        type -P "$tool" >/dev/null || missing+=("$tool")
    done
    [ -x /usr/lib/podman/netavark ] || missing+=(netavark)
    [ -x /usr/lib/podman/aardvark-dns ] || missing+=(aardvark-dns)
    python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
    if [ "${#missing[@]}" -gt 0 ]; then
        echo "# Installing: ${missing[*]}"
        {
            apt-get update
            DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
        } >"$work/apt.log" 2>&1 || fail "apt-get install ${missing[*]}" "$work/apt.log"
    fi
    # By module, not by its command: that names the folder in which it was installed.
    if ! "$cache/podman-compose/bin/python" -c 'import podman_compose' 2>/dev/null; then
        {
            rm -rf "$cache/podman-compose"
            python3 -m venv "$cache/podman-compose"
            "$cache/podman-compose/bin/python" -m pip install --quiet podman-compose==1.6.0
        } >"$work/pip.log" 2>&1 || fail "pip install podman-compose" "$work/pip.log"
    fi
}

# Storage and networks apart from those of any other podman on this machine.
configure_podman() {
    export CONTAINERS_STORAGE_CONF=$work/storage.conf CONTAINERS_CONF=$work/containers.conf
    cat >"$CONTAINERS_STORAGE_CONF" <<CONF
[storage]
driver = "overlay"
graphroot = "$work/storage"
runroot = "$work/run"
CONF
    # runc and cgroupfs: they need neither systemd nor the newest kernel interfaces.
    cat >"$CONTAINERS_CONF" <<CONF
[containers]
default_ulimits = ["nofile=1024:20000", "nproc=1000:1000"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "$work/libpod"
[network]
network_backend = "netavark"
network_config_dir = "$work/networks"
CONF
    mkdir -p "$work/networks"
}

# What pip needs here to reach its index, from the environment into a file for the build alone.
write_pip_conf() {
    local name value
    echo "[global]"
    for name in INDEX_URL EXTRA_INDEX_URL TRUSTED_HOST PROXY CERT RETRIES DEFAULT_TIMEOUT; do
        value=PIP_$name
        value=${!value:-}
        if [ "$name" = CERT ]; then value=${value:-${SSL_CERT_FILE:-}}; fi
        if [ -n "$value" ]; then
            name=${name,,}
            echo "${name//_/-} = $value"
        fi
    done
}

# -- one interface for both -----------------------------------------------------------------------

build_image() {
    if [ "$engine" = docker ]; then
        docker build --tag "$image" "$source_copy"
    else
        write_pip_conf >"$work/pip.conf"
        timeout 900 buildah bud --isolation chroot --pull-never --format docker \
            --volume /etc/ssl/certs:/etc/ssl/certs:ro --volume "$work/pip.conf:/etc/pip.conf:ro" \
            --tag "$image" "$source_copy"
    fi
}

# start_container NAME [OPTION…] [-- COMMAND…]: in the background; the image's own command without one.
start_container() {
    local options=(--name "$run-$1" --network "$run" --publish 127.0.0.1::8000)
    current=
    containers+=("$run-$1")
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do options+=("$1"); shift; done
    "$engine" run --detach "${options[@]}" "$image" "${@:2}" >"$work/run.log" 2>&1 ||
        fail "docker run ${options[*]}" "$work/run.log"
    current=${options[1]}
}

# in_image COMMAND…: in a new container that goes away at once.
in_image() {
    "$engine" run --rm --network none --entrypoint "" "$image" "$@"
}

url_of() { # CONTAINER
    local address
    address=$("$engine" port "$1" 8000/tcp | head -n 1)
    echo "http://$address"
}

# Docker runs the check by its timer; podman's timer needs systemd, so it is run by hand.
healthy() { # CONTAINER
    if [ "$engine" = podman ]; then
        podman healthcheck run "$1" >/dev/null 2>&1
    else
        [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = healthy ]
    fi
}

unhealthy() { # CONTAINER
    if [ "$engine" = podman ]; then
        ! healthy "$1"
    else
        [ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = unhealthy ]
    fi
}

log_limit() { # CONTAINER
    if [ "$engine" = podman ]; then
        podman inspect --format '{{.HostConfig.LogConfig.Size}}' "$1"
    else
        docker inspect --format '{{index .HostConfig.LogConfig.Config "max-size"}}' "$1"
    fi
}

# compose FILE ARGUMENT…, with the image that was built here instead of the file's.
compose() {
    local file=$1 project
    shift
    project=$run${file//[^a-z]/}
    printf 'services: {app: {image: "%s"}}\n' "$image" >"$work/override.yml"
    set -- --project-name "$project" --file "$source_copy/$file" --file "$work/override.yml" "$@"
    if [ "$engine" = docker ]; then
        timeout 600 docker compose "$@" </dev/null
    else
        timeout 300 "$cache/podman-compose/bin/python" -m podman_compose --in-pod=0 "$@" </dev/null
    fi
}

# compose_start FILE [GLOBAL OPTION…] -- SERVICE…: starts them together and waits until all are healthy.
compose_start() {
    local file=$1 options=() service
    shift
    while [ "$1" != -- ]; do options+=("$1"); shift; done
    shift
    compose_up+=("$file")
    compose "$file" "${options[@]}" up --detach --no-build "$@" >"$work/compose.log" 2>&1 || return 1
    for service; do
        current=$(container_of "$file" "$service")
        until_true 90 healthy "$current" || return 1
    done
}

container_of() { # FILE SERVICE
    local project=$run${1//[^a-z]/}
    "$engine" ps --all --quiet --filter "label=com.docker.compose.project=$project" \
        --filter "label=com.docker.compose.service=$2" | head -n 1
}
