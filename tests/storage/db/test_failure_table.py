"""One table decides what is an outage: each row, as a server or libpq says it."""

from __future__ import annotations

import psycopg2
import pytest
import sqlalchemy as sa

from otp_service.domain.errors import HomeUnreachable
from otp_service.storage.db import connect_failures, failure_table
from otp_service.storage.db.failure_table import TABLE
from otp_service.storage.db.failures import describe, failure_of
from tests.faults import gates
from tests.faults.loopback import LOOPBACK
from tests.storage.upgrades import engine_on

FULL, USER = "the pooler has no connection left", "the pooler does not let this user in"
TENANT, TLS = "the pooler does not know this tenant or user", "takes connections with TLS only"
LOST = "the connection was lost"

# What is said → what it means. A server's begins with its SQLSTATE.
OUTAGES = {
    "XX000 (EDBHANDLEREXITED) connection to database closed. Check logs": "lost the database",
    "XX000 (EDBHANDLEREXITED) DbHandler exited. Check logs for more": "lost the database",
    "XX000 DbHandler exited": "lost the database",
    "XX000 connection to database closed": "lost the database",
    "XX000 (ECHECKOUTRETRIES) failed to check out a connection after": "lost the database",
    "XX000 (ECIRCUITBREAKER) too many failed attempts to connect to the database, new connections"
    " are temporarily blocked": "the pooler can't reach the database",
    "XX000 (EAUTHQUERY) auth_query connection failed: tcp connect: econnrefused": "can't reach",
    "08000 connection exception": LOST,
    "08003 connection does not exist": LOST,
    "08006 connection failure": LOST,
    "08006 (EAUTHTIMEOUT) timeout while waiting for message": LOST,
    "08P01 server login has been failing, try again later (server_login_retry)": LOST,
    "08P01 server login has been failing, cached error: connect failed (server_login_retry)": LOST,
    "08P01 client_login_timeout (server down)": LOST,
    "08P01 server conn crashed?": LOST,
    "08P01 pooler is shutting down": LOST,
    "57P01 terminating connection due to administrator command": "shut down",
    "57P02 terminating connection because of crash of another server process": "crashed",
    "57P03 the database system is starting up": "not up yet",
}
REFUSALS = {
    "XX000 (ENOTFOUND) tenant/user otp_service.abcdefghij not found": TENANT,
    "XX000 Tenant or user not found": TENANT,
    'XX000 (EINVALIDUSERINFO) Authentication error, reason: "Invalid format for user"': TENANT,
    "XX000 (ENOIDENTIFIER) no tenant identifier provided (external_id or sni_hostname": TENANT,
    "XX000 (EMULTIPLEUSERS) multiple users matched for otp_service.abcdefghij": TENANT,
    "XX000 (EMAXCONN) max client connections reached, limit: 200": FULL,
    "XX000 (EMAXCONNSESSION) max clients reached in session mode": FULL,
    "XX000 (EMAXPOOLSREACHED) max pools count reached": FULL,
    "XX000 (ECHECKOUTTIMEOUT) unable to check out connection from the pool after 60000ms": FULL,
    "XX000 Max client connections reached": FULL,
    "XX000 MaxClientsInSessionMode: max clients reached": FULL,
    "XX000 Unable to check out process from the pool due to timeout": FULL,
    "XX000 (ECIRCUITBREAKER) too many authentication failures, new connections are": USER,
    "XX000 (ECIRCUITBREAKER) failed to retrieve database credentials after multiple": USER,
    "XX000 (EAUTHQUERY) user not found in the database": USER,
    "XX000 (EAUTHSECRETS) failed to retrieve authentication secrets: :timeout": USER,
    "XX000 (ESSLREQUIRED) SSL connection is required for user: postgres": TLS,
    "XX000 (EADDRNOTALLOWED) address not in tenant allow_list: {203, 0, 113, 7}": "address",
    "XX000 (EBANNED) tenant is banned: unpaid": "shut this project out",
    "XX000 (EWORKERNOTFOUND) worker processes (manager/pool) not found": "the pooler refuses",
    "XX000 (ESUBSCRIBERETRIES) failed to subscribe to tenant": "the pooler refuses",
    "XX000 cache lookup failed for relation 1": "the server refuses",
    "08P01 no more connections allowed (max_client_conn)": FULL,
    "08P01 client connections exceeded (max_db_client_connections)": FULL,
    "08P01 query_wait_timeout": FULL,
    "08P01 server login has been failing, cached error: sorry, too many clients already": FULL,
    "08P01 no such user: app": USER,
    "08P01 password authentication failed": USER,
    "08P01 SASL authentication failed": USER,
    "08P01 server login has been failing, cached error: password authentication failed": USER,
    "08P01 no such database: otp": "no such database",
    '08P01 database "otp" is disabled': "no such database",
    "08P01 SSL required": TLS,
    "08P01 unsupported startup parameter: options": "asks",
    "08P01 bouncer config error": "asks",
    "08P01 bouncer resources exhaustion": "out of memory",
    "57P04 database was dropped": "dropped",
    "57P05 terminating connection due to idle-session timeout": "limit of its own",
    "25P03 terminating connection due to idle-in-transaction timeout": "limit of its own",
    "25P04 terminating connection due to transaction timeout": "limit of its own",
    "57014 canceling statement due to statement timeout": "took too long",
    "55P03 canceling statement due to lock timeout": "took too long",
    "40001 could not serialize access": "each other's way",
    "40P01 deadlock detected": "each other's way",
    "53300 sorry, too many clients already": "no connection left",
    "53100 could not extend file: No space left on device": "out of disk",
    "53200 out of memory": "out of disk",
    '28P01 password authentication failed for user "app"': "wrong password or user",
    '28000 no pg_hba.conf entry for host "10.0.0.7", user "app", no encryption': "TLS only",
    '28000 role "app" is not permitted to log in': "does not let this role in",
    '3D000 database "otp" does not exist': "no such database",
    "25006 cannot execute INSERT in a read-only transaction": "read-only",
    "42501 permission denied for schema otp_service": "lacks a right",
    '42P01 relation "otp_service.verifications" does not exist': "is missing",
    '42703 column "x" does not exist': "is missing",
    "42883 function x() does not exist": "is missing",
    "55000 recovery is in progress": "present state",
    "22001 value too long for type character varying(16)": "refuses",
    "23505 duplicate key value violates unique constraint": "refuses",
    "58030 could not read file: Input/output error": "its files",
    "XX001 invalid page in block 0": "its files",
    "P0001 the audit trail is append-only": "the server refuses",
    "99999 what no manual knows": "the server refuses",
}
TRIES = 'connection to server at "127.0.0.1", port 5432 failed: '
LIBPQ_OUTAGES = {
    "Connection refused\n\tIs the server running on that host": "nobody listens",
    "No such file or directory": "nobody listens",
    "No route to host": "no way",
    "Network is unreachable": "no way",
    "timeout expired": "does not answer",
    "could not receive data from server: Connection timed out": "does not answer",
    "server closed the connection unexpectedly\n\tThis probably means": LOST,
    "could not receive data from server: Connection reset by peer": LOST,
    "could not send startup packet: Broken pipe": LOST,
    "asynchronous connection failed": LOST,
    "SSL SYSCALL error: EOF detected": "in the middle of TLS",
    "SSL SYSCALL error: Connection reset by peer": "in the middle of TLS",
    "SSL error: unexpected eof while reading": "in the middle of TLS",
    "SSL connection has been closed unexpectedly": "in the middle of TLS",
    "could not send SSL negotiation packet: Broken pipe": "in the middle of TLS",
}
LIBPQ_REFUSALS = {
    "server does not support SSL, but SSL was required": "has no TLS",
    "SSL error: certificate verify failed: self-signed certificate": "fails its check",
    "server accepted connection without a valid SSL certificate": "fails its check",
    'server certificate for "a" does not match host name "b"': "another host name",
    'server certificate for "a" (and 1 other name) does not match host name "b"': "another host",
    "host name must be specified for a verified SSL connection": "another host name",
    'root certificate file "/no/such" does not exist': "can't be used",
    'could not read certificate file "/a": No such file or directory': "can't be used",
    'private key file "/a" has group or world access': "can't be used",
    "SSL error: tlsv1 alert unknown ca": "with an alert",
    "SSL error: sslv3 alert handshake failure": "with an alert",
    "SSL error: wrong version number": "no encrypted connection",
    "SSL error: unsupported protocol": "no encrypted connection",
    "server sent an error response during SSL exchange": "no encrypted connection",
    "received unencrypted data after SSL response": "no encrypted connection",
    "channel binding required, but SSL not in use": "no encrypted connection",
    "server doesn't support GSSAPI encryption, but it was required": "no encrypted connection",
    "fe_sendauth: no password supplied": "no way to sign in",
    "none of the server's SASL authentication mechanisms are supported": "no way to sign in",
    "received invalid response to SSL negotiation: H": "something else than Postgres",
    "expected authentication request from server, but received H": "something else than Postgres",
    'invalid sslmode value: "no-verify"': "libpq can't do",
    'invalid port number: "99999"': "libpq can't do",
    'weak sslmode "require" may not be used with sslrootcert=system': "libpq can't do",
    "could not create socket: Too many open files": "this machine",
    "Permission denied": "this machine",
    "what no version of libpq says": "",
}
OF_SERVERS = [(said, what, True) for said, what in OUTAGES.items()]
OF_SERVERS += [(said, what, False) for said, what in REFUSALS.items()]
OF_LIBPQ = [(said, what, True) for said, what in LIBPQ_OUTAGES.items()]
OF_LIBPQ += [(said, what, False) for said, what in LIBPQ_REFUSALS.items()]


@pytest.mark.parametrize(("said", "what", "outage"), OF_SERVERS)
def test_what_a_server_says_while_it_refuses_a_connection(
    said: str, what: str, outage: bool
) -> None:
    """As libpq tells it; and the text, which quotes no row, is passed on."""
    sqlstate, _, text = said.partition(" ")
    with gates.gate(gates.refusing(sqlstate, text)) as port:
        url = f"postgresql+psycopg2://app:hunter2@{LOOPBACK}:{port}/otp"
        with engine_on(url) as engine, pytest.raises(sa.exc.DBAPIError) as caught:
            engine.connect()
    failure = failure_of(caught.value)
    assert isinstance(failure, HomeUnreachable) == outage
    assert what.lower() in failure.advice.lower()
    assert failure.reason.startswith(f"ConnectFailed, SQLSTATE {sqlstate}: ")
    assert failure.reason.endswith(f"FATAL: {text}")


@pytest.mark.parametrize(("said", "what", "outage"), OF_SERVERS)
def test_what_a_server_says_in_the_middle_of_its_work(said: str, what: str, outage: bool) -> None:
    row = failure_table.row_of(*said.split(" ", 1))
    assert (row.outage, what in row.what) == (outage, True)


@pytest.mark.parametrize(("said", "what", "outage"), OF_LIBPQ)
def test_what_libpq_says_of_a_connection_that_could_not_be_made(
    said: str, what: str, outage: bool
) -> None:
    failure = connect_failures.of(psycopg2.OperationalError(TRIES + said), {})
    assert (failure.row.outage, what in failure.row.what) == (outage, True)
    assert failure.pgcode is None
    assert failure.answer == (TRIES + said).split("\n", maxsplit=1)[0]


def test_each_row_has_an_example_a_reason_and_something_to_do() -> None:
    examples = [tuple(said.split(" ", 1)) for said, *_ in OF_SERVERS]
    examples += [("", said) for said, *_ in OF_LIBPQ]
    reached = {failure_table.row_of(*example) for example in examples}
    assert [row.what for row in TABLE if row not in reached] == []
    assert all(row.why for row in TABLE)


def test_a_full_pool_is_no_outage() -> None:
    failure = failure_of(sa.exc.TimeoutError("QueuePool limit"))
    assert not isinstance(failure, HomeUnreachable)
    assert "Every connection of the pool is in use" in failure.advice


def test_no_text_of_an_error_shows_a_password_or_breaks_a_line() -> None:
    error = psycopg2.OperationalError(TRIES + "FATAL:  28000: no hunter2 \x1b[2J\rhere")
    told = connect_failures.of(error, {"password": "hunter2"})
    assert describe(sa.exc.OperationalError("", {}, told)) == (
        f"ConnectFailed, SQLSTATE 28000: {TRIES}FATAL: no •••• [2J here"
    )
