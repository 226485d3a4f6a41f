# shellcheck shell=bash
# shellcheck disable=SC2154 # work, cache, here: set by container-test.sh and engine.sh
# Stand-ins for the images, made of Debian's packages, for machines that reach no image registry. There
# is none for Grafana, which Debian does not have. They carry the names that the Dockerfile and the compose files use, so those are built
# and run unchanged, and they are kept in $cache for as long as this recipe stays the same. Sourced
# by engine.sh.

kept_as() { # NAME
    local recipe
    recipe=$(cat "$here/containers/stand-ins.sh" "$here/containers/stand-in-postgres" | sha256sum)
    echo "$cache/$1-${recipe:0:12}.tar"
}

kept() { # NAME: loads it if it is in the cache
    local file
    file=$(kept_as "$1")
    [ -s "$file" ] && podman load --quiet --input "$file" >/dev/null
}

keep() { # NAME IMAGE
    local file
    file=$(kept_as "$1")
    rm -f "$cache/$1"-*.tar
    podman save --quiet --format docker-archive --output "$file.new" "$2"
    mv "$file.new" "$file"
}

# Debian 12 has Python 3.11. Like the official image: `python` on the path, and a pip that installs.
stand_in_python() {
    local root=$work/root-python container
    kept python && return
    echo "# Making a stand-in for python:3.11-slim (about a minute)"
    debootstrap --variant=minbase --include=python3,python3-venv,python3-pip,ca-certificates \
        bookworm "$root" >"$work/debootstrap.log" 2>&1 || fail "debootstrap" "$work/debootstrap.log"
    rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* \
        "$root"/usr/lib/python3*/EXTERNALLY-MANAGED
    ln -s /usr/bin/python3 "$root/usr/local/bin/python"
    tar --directory "$root" --create --file "$work/root.tar" .
    rm -rf "$root"
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$work/root.tar" / >/dev/null
    buildah config --cmd python3 --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        "$container"
    buildah commit --quiet --rm --format docker "$container" localhost/python:3.11-slim >/dev/null
    rm "$work/root.tar"
    keep python localhost/python:3.11-slim
}

# Debian's Postgres under the official image's interface: its variables, its user, its data folder.
stand_in_postgres() {
    local container in_it
    kept postgres && return
    echo "# Making a stand-in for postgres:17-alpine"
    container=$(buildah from --pull-never localhost/python:3.11-slim)
    in_it=(buildah run --isolation chroot "$container" --)
    {
        "${in_it[@]}" groupadd --gid 70 postgres
        "${in_it[@]}" useradd --uid 70 --gid 70 --home-dir /var/lib/postgresql postgres
        "${in_it[@]}" apt-get update
        "${in_it[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
            postgresql-common
        "${in_it[@]}" sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' \
            /etc/postgresql-common/createcluster.conf
        "${in_it[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
            postgresql
        "${in_it[@]}" apt-get clean
        "${in_it[@]}" find /var/lib/apt/lists -type f -delete
        "${in_it[@]}" install -d -m 1777 -o postgres -g postgres /var/lib/postgresql/data
        "${in_it[@]}" install -d -m 3777 -o postgres -g postgres /var/run/postgresql
        buildah copy --chmod 0755 "$container" "$here/containers/stand-in-postgres" /usr/local/bin/
        buildah config --entrypoint '["/usr/local/bin/stand-in-postgres"]' --cmd '' \
            --env PATH=/usr/local/bin:/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            --volume /var/lib/postgresql/data --stop-signal SIGINT "$container"
        buildah commit --rm --format docker "$container" localhost/postgres:17-alpine
    } >"$work/postgres.log" 2>&1 || fail "making a Postgres image" "$work/postgres.log"
    keep postgres localhost/postgres:17-alpine
}

# Debian's Prometheus under the official image's interface: its command and user, its folders, a wget.
# An older release than the compose files name: what both understand is what is tried here.
stand_in_prometheus() {
    local container in_it name
    name=localhost/$(sed -n 's/^ *image: \(prom\/prometheus:[^ ]*\).*/\1/p' "$repository/docker-compose.prod.yml")
    kept prometheus && podman tag localhost/prometheus:kept "$name" && return
    echo "# Making a stand-in for ${name#localhost/}"
    container=$(buildah from --pull-never localhost/python:3.11-slim)
    in_it=(buildah run --isolation chroot "$container" --)
    {
        "${in_it[@]}" apt-get update
        "${in_it[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
            prometheus wget
        "${in_it[@]}" apt-get clean
        "${in_it[@]}" find /var/lib/apt/lists -type f -delete
        "${in_it[@]}" rm -rf /etc/prometheus /var/lib/prometheus
        "${in_it[@]}" install -d /etc/prometheus
        "${in_it[@]}" install -d -o nobody -g nogroup /prometheus
        buildah config --entrypoint '["/bin/prometheus"]' --user nobody --workingdir /prometheus \
            --cmd '--config.file=/etc/prometheus/prometheus.yml --storage.tsdb.path=/prometheus' \
            --env PATH=/usr/sbin:/usr/bin:/sbin:/bin --volume /prometheus --port 9090 "$container"
        buildah commit --rm --format docker "$container" localhost/prometheus:kept
    } >"$work/prometheus.log" 2>&1 || fail "making a Prometheus image" "$work/prometheus.log"
    keep prometheus localhost/prometheus:kept
    podman tag localhost/prometheus:kept "$name"
}
