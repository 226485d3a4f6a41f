# shellcheck shell=bash
# shellcheck disable=SC2154 # engine, image, work, …: set by container-test.sh and engine.sh
# The checks, in the order in which container-test.sh calls them.

pass() {
    passed=$((passed + 1))
    echo "ok   $*"
}

fail() { # WHAT [LOG FILE]
    {
        echo "FAIL $1"
        if [ -n "${2:-}" ]; then tail -n 40 "$2"; fi
        if [ -n "$current" ]; then
            echo "--- the log of $current"
            "$engine" logs --tail 40 "$current" 2>&1 || true
        fi
        echo "container-test: $passed passed, 1 failed"
    } >&2
    exit 1
}

# expect WHAT COMMAND…: the command succeeds.
expect() {
    local what=$1
    shift
    if "$@" >"$work/check.log" 2>&1; then pass "$what"; else fail "$what" "$work/check.log"; fi
}

# refuse WHAT COMMAND…: the command fails.
refuse() {
    local what=$1
    shift
    if "$@" >"$work/check.log" 2>&1; then fail "$what" "$work/check.log"; else pass "$what"; fi
}

# same WHAT ACTUAL EXPECTED
same() {
    if [ "$2" = "$3" ]; then pass "$1: $3"; else fail "$1: '$2' instead of '$3'"; fi
}

until_true() { # SECONDS COMMAND…
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.5
    done
}

ask() { python3 "$here/containers/ask.py" "$@"; }

inspect() { "$engine" inspect --format "$2" "$1"; } # NAME FORMAT

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# -- the image ------------------------------------------------------------------------------------

# The working tree as it is, less what git ignores, with some files beside it that must stay out.
copy_source() {
    mkdir -p "$source_copy"
    if git -C "$repository" rev-parse --git-dir >/dev/null 2>&1; then
        (cd "$repository" && git ls-files --cached --others --exclude-standard -z |
            while IFS= read -r -d '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
            tar --null --files-from=- --create --file=-) | tar --directory "$source_copy" --extract
    else
        (cd "$repository" && tar --exclude=./.git --exclude=./instance --create --file=- .) |
            tar --directory "$source_copy" --extract
    fi
    mkdir -p "$source_copy/.git" "$source_copy/instance" "$source_copy/otp_service/__pycache__"
    for file in .env .env.prod .git/config instance/otp.sqlite3 otp_service/.env otp_service/__pycache__/x.pyc; do
        echo "CANARY_$run" >"$source_copy/$file"
    done
}

check_build() {
    local started=$SECONDS
    build_image >"$work/build.log" 2>&1 || fail "the image builds" "$work/build.log"
    pass "the image builds ($((SECONDS - started)) s, $(($(inspect "$image" '{{.Size}}') / 1000000)) MB)"
}

check_image_contents() {
    local user
    user=$(inspect "$image" '{{.Config.User}}')
    [[ $user =~ ^[1-9][0-9]*(:[1-9][0-9]*)?$ ]] || fail "USER is a number other than 0: $user"
    pass "USER is a number other than 0: $user"
    same "its processes run as that user" "$(in_image id -u):$(in_image id -g)" "$user"
    # shellcheck disable=SC2016 # expanded in the container
    expect "no compiler, no pip beside the service" in_image sh -c '
        for tool in gcc cc g++ c++ clang make ld as; do
            if command -v "$tool"; then exit 1; fi
        done
        ! ls /opt/venv/bin/pip* 2>/dev/null'
    expect "no cache of pip or apt" in_image sh -c '
        ! find / -xdev \( -path "*/.cache/pip" -o -path "/var/cache/apt/archives/*.deb" \) 2>/dev/null | grep .'
    refuse "nothing of .env, .git or instance/ is in it" in_image grep -r "CANARY_$run" /app /opt/venv
    same "beside the requirements it holds the service only" "$(in_image ls -A /app | sort | xargs)" \
        "__pycache__ instance migrations otp otp_service wsgi.py"
    refuse "the user can't change the program" in_image touch /app/otp_service/new /app/wsgi.py /opt/venv/new
    # shellcheck disable=SC2016 # expanded in the container
    expect "the user can write to instance/, others can't read it" in_image sh -c '
        touch /app/instance/new && [ "$(stat -c %a /app/instance)" = 700 ]'
    expect "it has labels" [ "$(inspect "$image" '{{index .Config.Labels "org.opencontainers.image.title"}}')" = whatsapp-otp-api ]
}

# -- docker run -----------------------------------------------------------------------------------

check_conversation() { # URL
    local url=$1 code message
    message=$(ask "$url" health) || fail "GET /health"
    same "GET /health" "$message" "WhatsApp OTP API is running"
    code=$(ask "$url" send) || fail "POST /send-otp"
    pass "POST /send-otp"
    message=$(ask "$url" verify "$code") || fail "POST /verify-otp"
    same "POST /verify-otp" "$message" "OTP verified successfully"
}

check_stop() { # CONTAINER
    local started=$SECONDS
    "$engine" stop --time 30 "$1" >/dev/null 2>&1
    local took=$((SECONDS - started))
    [ "$took" -lt 10 ] || fail "SIGTERM stops it within 10 s: it took $took s"
    same "SIGTERM stops it within 10 s ($took s), with exit code" "$(inspect "$1" '{{.State.ExitCode}}')" 0
}

check_plain_run() {
    local url
    # A .env that serves outside of containers, too: its HOST must do no harm here.
    { cat "$source_copy/env.example"; echo HOST=127.0.0.1; } >"$work/settings.env"
    start_container plain --volume "$run:/app/instance" --env-file "$work/settings.env" --health-interval 2s
    url=$(url_of "$current")
    check_conversation "$url"
    same "process 1" "$("$engine" exec "$current" cat /proc/1/cmdline | xargs -0)" "python wsgi.py"
    expect "its commands are there as otp" "$engine" exec "$current" otp check
    expect "its health check passes" until_true 30 healthy "$current"
    outstanding=$(ask "$url" send) || fail "POST /send-otp"
    check_stop "$current"

    start_container other-port --env PORT=8001 --env WEB_CONCURRENCY=2 --health-interval 2s
    expect "it and its health check follow PORT" until_true 30 healthy "$current"
    check_stop "$current"
    start_container no-server --health-interval 2s -- sleep 120
    expect "its health check fails without a server" until_true 60 unhealthy "$current"
}

check_read_only_run() {
    local url options=(--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges)
    # podman would add more writable places; Docker doesn't.
    if [ "$engine" = podman ]; then options+=(--read-only-tmpfs=false); fi
    start_container read-only --volume "$run:/app/instance" "${options[@]}"
    url=$(url_of "$current")
    ask "$url" health >/dev/null || fail "it starts"
    same "a code sent before the restart is still good" "$(ask "$url" verify "$outstanding")" \
        "OTP verified successfully"
    check_conversation "$url"
    check_stop "$current"
}

check_run_without_database() {
    start_container no-database --env DATABASE_URL=postgresql://otp@127.0.0.1:1/otp
    check_conversation "$(url_of "$current")"
    check_stop "$current"
}

# -- the compose files ----------------------------------------------------------------------------

check_development() {
    local file=docker-compose.yml url
    rm "$source_copy/.env"
    PUBLISHED_PORT=$(free_port)
    export PUBLISHED_PORT
    url=http://127.0.0.1:$PUBLISHED_PORT
    # One after the other, because podman 4 ignores `condition: service_healthy`.
    compose_start "$file" -- db || fail "its Postgres comes up" "$work/compose.log"
    pass "its Postgres comes up"
    compose_start "$file" -- app || fail "it comes up without a .env" "$work/compose.log"
    pass "it comes up without a .env"
    check_conversation "$url"
    expect "the schema is in Postgres" [ "$(tables_in_postgres "$file")" -gt 0 ]

    grep -rl --include='*.py' "WhatsApp OTP API is running" "$source_copy/otp_service" |
        xargs sed -i 's/WhatsApp OTP API is running/It was edited/'
    expect "an edited module is served without a restart" until_true 30 answers "$url" "It was edited"
    grep -rl --include='*.py' "It was edited" "$source_copy/otp_service" |
        xargs sed -i 's/It was edited/WhatsApp OTP API is running/'
    check_watched_development "$file"
    compose "$file" --profile observe down --volumes >"$work/compose.log" 2>&1 || fail "compose down" "$work/compose.log"
}

# No key, no settings: Prometheus just works beside the sandbox.
check_watched_development() { # FILE
    PROMETHEUS_PORT=$(free_port)
    export PROMETHEUS_PORT
    compose_start "$1" --profile observe -- prometheus || fail "its Prometheus comes up" "$work/compose.log"
    check_scraped
}

check_scraped() {
    local release
    release=$(ask "http://127.0.0.1:$PROMETHEUS_PORT" scraped) || fail "Prometheus reads the metrics"
    pass "Prometheus reads the metrics of release $release"
    same "and has the alerts" "$(ask "http://127.0.0.1:$PROMETHEUS_PORT" alerts)" \
        "$(grep -c -- '- alert:' "$source_copy/deploy/prometheus/alerts.yml")"
}

answers() { [ "$(ask "$1" health)" = "$2" ]; } # URL MESSAGE

tables_in_postgres() { # FILE
    "$engine" exec "$(container_of "$1" db)" psql -U otp -d otp -Atc \
        "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
}

check_production() {
    local file=docker-compose.prod.yml
    PUBLISHED_PORT=$(free_port)
    export PUBLISHED_PORT
    refuse "it doesn't start without a .env" compose "$file" up --detach --no-build app
    { cat "$source_copy/env.example"; echo HOST=127.0.0.1; echo PORT=9999; } >"$source_copy/.env"
    compose_start "$file" -- app || fail "it comes up" "$work/compose.log"
    pass "it comes up"
    check_conversation "http://127.0.0.1:$PUBLISHED_PORT"
    check_hardening "$current"
    check_limits "$current"
    same "its port is open to this machine only" "$("$engine" port "$current" 8000/tcp)" "127.0.0.1:$PUBLISHED_PORT"
    check_stop "$current"
    compose "$file" down --volumes >"$work/compose.log" 2>&1 || fail "compose down" "$work/compose.log"
}

# In force, not just asked for: root in the container can't do it either.
check_hardening() { # CONTAINER
    local name=$1 status
    for folder in / /app /etc; do
        "$engine" exec --user 0 "$name" touch "$folder/new" >"$work/check.log" 2>&1 &&
            fail "$folder is read-only, for root too"
        grep -q "Read-only file system" "$work/check.log" || fail "$folder is read-only" "$work/check.log"
    done
    pass "the root file system is read-only, for root too"
    expect "/tmp and instance/ are writable" "$engine" exec "$name" touch /tmp/new /app/instance/new
    refuse "nothing in /tmp can be executed" "$engine" exec "$name" sh -c \
        'cp /usr/bin/true /tmp/true && chmod +x /tmp/true && /tmp/true'
    status=$("$engine" exec "$name" cat /proc/1/status)
    same "no capability is left, effective or to be had" \
        "$(awk '/^Cap(Prm|Eff|Bnd)/ {print $2}' <<<"$status" | sort -u)" 0000000000000000
    same "no new privileges" "$(awk '/^NoNewPrivs/ {print $2}' <<<"$status")" 1
    same "system calls are filtered" "$(awk '/^Seccomp:/ {print $2}' <<<"$status")" 2
}

check_limits() { # CONTAINER
    local name=$1
    same "limits for memory, processor and processes" \
        "$(inspect "$name" '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}')" \
        "$((512 * 1024 * 1024)) 1000000000 512"
    local code=0
    "$engine" exec "$name" python -c 'bytearray(b"x") * 1_500_000_000' >/dev/null 2>&1 || code=$?
    same "a process that takes more memory is killed (128 + 9)" "$code" 137
    "$engine" exec "$name" python -c '
import subprocess
for _ in range(600):
    subprocess.Popen(["sleep", "5"])' >"$work/flood.log" 2>&1 || true
    expect "a flood of processes is stopped" grep "Resource temporarily unavailable" "$work/flood.log"
    expect "and the service survived both" ask "http://127.0.0.1:$PUBLISHED_PORT" health
    same "it comes back by itself" "$(inspect "$name" '{{.HostConfig.RestartPolicy.Name}}')" unless-stopped
    expect "its log is limited" grep -E '^10mb?$' <<<"$(log_limit "$name" | tr '[:upper:]' '[:lower:]')"
}

check_production_with_postgres() {
    local file=docker-compose.prod.yml database
    cat >"$source_copy/.env" <<'SETTINGS'
POSTGRES_PASSWORD=only-for-this-test
DATABASE_URL=postgresql://otp:only-for-this-test@db:5432/otp
SETTINGS
    compose_start "$file" --profile postgres -- db app || fail "both come up" "$work/compose.log"
    pass "both come up, at the same time"
    # Started before its database, the service makes the schema when it finds one.
    expect "it finds its database" until_true 60 ask "http://127.0.0.1:$PUBLISHED_PORT" database
    check_conversation "http://127.0.0.1:$PUBLISHED_PORT"
    database=$(container_of "$file" db)
    expect "the schema is in Postgres" [ "$(tables_in_postgres "$file")" -gt 0 ]
    current=$database
    check_hardening_of_database "$database"
    compose "$file" --profile postgres down --volumes >"$work/compose.log" 2>&1 || fail "compose down" "$work/compose.log"
}

check_hardening_of_database() { # CONTAINER
    local status
    status=$("$engine" exec "$1" cat /proc/1/status)
    same "the database has no capability" "$(awk '/^CapBnd/ {print $2}' <<<"$status")" 0000000000000000
    refuse "it doesn't run as root" [ "$(awk '/^Uid/ {print $2}' <<<"$status")" = 0 ]
    refuse "its root file system is read-only" "$engine" exec --user 0 "$1" touch /new
    refuse "it has no way out" "$engine" exec "$1" grep -qE '^\S+\s+00000000\s' /proc/net/route
    same "and no port on this machine" "$("$engine" port "$1")" ""
}

# -- the profile observe --------------------------------------------------------------------------

check_production_watched() {
    local file=docker-compose.prod.yml
    PUBLISHED_PORT=$(free_port)
    PROMETHEUS_PORT=$(free_port)
    export PUBLISHED_PORT PROMETHEUS_PORT
    printf '%s\n' API_KEYS=required GRAFANA_ADMIN_PASSWORD=only-for-this-test >"$source_copy/.env"
    compose_start "$file" -- app || fail "it comes up" "$work/compose.log"
    # As the file's head says:
    (cd "$source_copy" && umask 077 && mkdir secrets &&
        "$engine" exec "$current" otp keys create prometheus --scope read >secrets/prometheus.key &&
        chmod 644 secrets/prometheus.key) 2>"$work/check.log" || fail "a key for Prometheus" "$work/check.log"
    compose_start "$file" --profile observe -- prometheus || fail "Prometheus comes up" "$work/compose.log"
    pass "Prometheus comes up"
    check_scraped
    check_hardening_of_prometheus "$current"
    compose "$file" --profile observe down --volumes >"$work/compose.log" 2>&1 || fail "compose down" "$work/compose.log"
    echo "# Grafana is not run, its image can't be made here: tests/deploy checks the form of its files"
}

check_hardening_of_prometheus() { # CONTAINER
    local status
    status=$("$engine" exec "$1" cat /proc/1/status)
    same "Prometheus has no capability" "$(awk '/^CapBnd/ {print $2}' <<<"$status")" 0000000000000000
    refuse "it doesn't run as root" [ "$(awk '/^Uid/ {print $2}' <<<"$status")" = 0 ]
    refuse "its root file system is read-only" "$engine" exec --user 0 "$1" touch /new
    same "its port is open to this machine only" "$("$engine" port "$1" 9090/tcp)" "127.0.0.1:$PROMETHEUS_PORT"
    expect "it stops within a minute, and writes down what it has" "$engine" stop --time 60 "$1"
    expect "by itself" [ "$(inspect "$1" '{{.State.ExitCode}}')" = 0 ]
}
