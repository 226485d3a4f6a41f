# The service in two stages: the first has pip and makes everything, the second only runs it.
#
#   docker build -t whatsapp-otp-api .
#   docker run -d --name whatsapp-otp-api -p 8000:8000 --env-file .env \
#     -v whatsapp-otp-instance:/app/instance whatsapp-otp-api
#   docker exec whatsapp-otp-api otp check
#
# scripts/container-test.sh builds and tries all of this, with a Docker engine or without one.

FROM python:3.11-slim AS builder

# No pip inside the environment: what runs later has nothing to install software with there.
RUN python -m venv --without-pip /opt/venv

# Requirements before the source: editing a module doesn't install them again.
# Byte code is made here because the running container may write nowhere. "unchecked-hash": nobody
# edits installed packages, so Python need not compare each of them with its source at start.
COPY requirements.txt /build/
RUN python -m pip --python /opt/venv/bin/python install \
        --no-cache-dir --no-compile --only-binary :all: --require-hashes -r /build/requirements.txt \
    && /opt/venv/bin/python -m compileall -q --invalidation-mode unchecked-hash /opt/venv/lib

# "checked-hash": a module that is mounted over one of these is noticed.
# The modes are set because a checkout under umask 077 would be unreadable for the service's user.
COPY otp wsgi.py /app/
COPY migrations /app/migrations
COPY otp_service /app/otp_service
RUN /opt/venv/bin/python -m compileall -q --invalidation-mode checked-hash /app \
    && chmod -R a+rX,go-w /app \
    && ln -s /app/otp /opt/venv/bin/otp


FROM python:3.11-slim

# A number, not a name, in USER below: Kubernetes' runAsNonRoot can only judge numbers.
# /app/instance (state of the sandbox, SQLite files) is the one place that this user may write to,
# and nobody else may read it.
RUN groupadd --gid 10001 otp \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --home-dir /app \
        --shell /usr/sbin/nologin otp \
    && install -d -m 0755 /app \
    && install -d -m 0700 -o 10001 -g 10001 /app/instance

COPY --from=builder /opt/venv /opt/venv
COPY --from=builder /app /app

# HOST: in a container the loopback default would be reachable by nobody.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000

WORKDIR /app
USER 10001:10001
# Name a volume for it (-v, compose) or it ends with the container.
VOLUME /app/instance
EXPOSE 8000
STOPSIGNAL SIGTERM

# /health asks no database, so an outage behind the service doesn't get the service restarted.
# Plain http.client: the image has no curl, and no proxy setting can send this anywhere else.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('PORT') or 8000), timeout=4); c.request('GET', '/health'); raise SystemExit(c.getresponse().status != 200)"]

# The schema first (safe with several containers side by side), then the server, by "exec" as
# process 1, so that the signal to stop reaches it. 75 says that the database is away: the server
# starts all the same and issues on its fallback. HOST once more, because an --env-file made for a
# server outside of a container says 127.0.0.1.
CMD ["sh", "-c", "otp init-db || [ $? -eq 75 ] && HOST=0.0.0.0 exec python wsgi.py"]

# Last, so that a new number doesn't build the layers above again:
#   docker build --build-arg VERSION=1.2.3 --build-arg REVISION="$(git rev-parse HEAD)" …
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="whatsapp-otp-api" \
      org.opencontainers.image.description="Sends one-time passwords over WhatsApp and verifies them" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
