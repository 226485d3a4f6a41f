"""One table: what a failure of Postgres, a pooler or libpq means, and whether it is an outage.

Only an outage lets new verifications go to the fallback. Everything else is refused with 503: what
an attacker could provoke would lead him to a second home with limits of its own, and what an
operator has to mend would go unseen. So what is not known here is no outage.

The first row that fits decides. Where a SQLSTATE says too little, words do: Supabase's pooler
(Supavisor, `lib/supavisor/errors` of its source) gives most failures XX000, and its texts begin
with a code in brackets; pgbouncer (`disconnect_client` in its source) gives nearly all 08P01; libpq
gives none if a connection can't be made (`fe-connect.c`, `fe-secure-openssl.c`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# Why it is an outage, or not.
GONE = "the connection failed: the same would happen to every request"
PROVOKED = "an attacker could provoke it"
OPERATOR = "it stays until an operator mends it, who has to see it"
ALIVE = "the database is there and has decided"

_NONE, _ANY = r"$", r"."
_POOL = (
    "Lower WEB_CONCURRENCY or WAITRESS_THREADS (their product is how many connections there may "
    "be), or raise the limit."
)
_ROLE = (
    "Are the user and the password of DATABASE_URL right? Through Supabase's pooler the user is "
    "ROLE.PROJECT_REF, such as otp_service.abcdefghij."
)
_TLS_ONLY = "Add ?sslmode=require, or better verify-full with sslrootcert, to DATABASE_URL."
_CERTIFICATE = (
    "sslrootcert must be the file of the authority that signed the server's certificate: for "
    "Supabase the one that its dashboard offers."
)
_INIT_DB = "Make or upgrade the tables: ./otp init-db"
_AWAY = "Is it running, and are the host, the port and the network between right?"
_WAIT = "Nothing, if it is restarting or failing over. Else look at the server's own log."


@dataclass(frozen=True)
class Row:
    """``what`` happened, and ``why`` that is an ``outage`` or not; ``advice`` is what to do.

    ``sqlstate`` and ``words`` are patterns: for the beginning of the SQLSTATE, and for a part of
    the text. A row of our own findings has neither.
    """

    sqlstate: str
    words: str
    what: str
    outage: bool
    why: str
    advice: str = ""

    def fits(self, sqlstate: str, text: str) -> bool:
        return bool(re.match(self.sqlstate, sqlstate) and re.search(self.words, text))


SUPAVISOR = (
    Row("XX000", r"^\((EDBHANDLEREXITED|ECHECKOUTRETRIES)\)|^DbHandler exited|"
        r"^connection to database closed", "the pooler lost the database", True, GONE, _WAIT),
    Row("XX000", r"^\(ECIRCUITBREAKER\).* to connect to the database|"
        r"^\(EAUTHQUERY\) auth_query connection failed",
        "the pooler can't reach the database", True, GONE, _WAIT),
    Row("XX000", r"^\((EMAX\w+|ECHECKOUTTIMEOUT)\)|(?i:max ?clients?)|(?i:unable to check ?out)",
        "the pooler has no connection left", False, PROVOKED, _POOL),
    Row("XX000", r"^\((ENOTFOUND|EINVALIDUSERINFO|ENOIDENTIFIER|EMULTIPLEUSERS)\)|"
        r"(?i:tenant or user not found|tenant/user .* not found|invalid format for user)",
        "the pooler does not know this tenant or user", False, OPERATOR, _ROLE),
    Row("XX000", r"^\(E(AUTH\w+|CIRCUITBREAKER|JIT\w+)\)|(?i:wrong password|authentication)",
        "the pooler does not let this user in", False, OPERATOR, _ROLE),
    Row("XX000", r"^\(ESSLREQUIRED\)|(?i:ssl connection is required)",
        "the pooler takes connections with TLS only", False, OPERATOR, _TLS_ONLY),
    Row("XX000", r"^\(EADDRNOTALLOWED\)|(?i:address not in tenant allow_list)",
        "the pooler does not let this machine's address in", False, OPERATOR,
        "Allow it in the project's network restrictions."),
    Row("XX000", r"^\(EBANNED\)", "the pooler has shut this project out", False, OPERATOR,
        "See the project's state in its dashboard."),
    Row("XX000", r"^\(E[A-Z]+\)", "the pooler refuses", False, ALIVE,
        "Its code in brackets is explained in Supavisor's documentation."),
)  # fmt: skip

PGBOUNCER = (
    Row("08P01", r"no more connections|client connections exceeded|query_(wait_)?timeout|"
        r"too many (clients|connections)|connection slots", "the pooler has no connection left",
        False, PROVOKED, _POOL),
    Row("08P01", r"(?i:authentication failed|no such user|login rejected|password|"
        r"role .* does not exist|^\(EAUTHPROTOCOL\))", "the pooler does not let this user in",
        False, OPERATOR, "Are the user and the password of DATABASE_URL those that it knows?"),
    Row("08P01", r"no such database|database .* (is disabled|does not exist|not allow)",
        "the pooler has no such database", False, OPERATOR,
        "The name after the last / of DATABASE_URL must be one of the pooler's."),
    Row("08P01", r"SSL required|TLS required", "the pooler takes connections with TLS only", False,
        OPERATOR, _TLS_ONLY),
    Row("08P01", r"unsupported startup parameter|^\(ESTARTUP\w+\)|config error",
        "the pooler can't do what DATABASE_URL or its own configuration asks", False, OPERATOR,
        "Take the option out of DATABASE_URL, or let the pooler ignore it."),
    Row("08P01", r"out of memory|resources exhaustion", "the pooler is out of memory", False,
        PROVOKED, "Give it more."),
)  # fmt: skip

POSTGRES = (
    Row("08", "", "the connection was lost", True, GONE, _WAIT),
    Row("57P0[123]", "", "the server is shut down, has crashed or is not up yet", True, GONE,
        _WAIT),
    Row("57P04", "", "the database was dropped", False, OPERATOR,
        "Restore it, or name the right one in DATABASE_URL."),
    Row("57P05|25P0[34]", "", "the server ended the session by a limit of its own", False, ALIVE,
        "Raise idle_session_timeout, transaction_timeout and their like for this role."),
    Row("57014|55P03", "", "a lock or a slow statement took too long", False, PROVOKED,
        "See who holds locks: select * from pg_stat_activity where wait_event_type = 'Lock'."),
    Row("40", "", "transactions stood in each other's way", False, PROVOKED),
    Row("53300", "", "the server has no connection left", False, PROVOKED, _POOL),
    Row("53", "", "the server is out of disk, memory or another resource", False, OPERATOR,
        "53100 is a full disk, 53200 memory: see the server's log."),
    Row("28P01", "", "wrong password or user", False, OPERATOR, _ROLE),
    Row("28", r"no encryption|SSL off|SSL connection is required|insecure connection",
        "the server takes connections with TLS only", False, OPERATOR, _TLS_ONLY),
    Row("28", "", "the server does not let this role in", False, OPERATOR,
        "Does the role exist, may it log in, and does pg_hba.conf let it in from here? " + _ROLE),
    Row("3D000", "", "no such database", False, OPERATOR,
        "The name after the last / of DATABASE_URL must be a database of this server."),
    Row("25006", "", "connected to a read-only server, a standby perhaps", False, OPERATOR,
        "DATABASE_URL must lead to the primary, or name all hosts: it is found among them."),
    Row("42501", "", "the role lacks a right", False, OPERATOR,
        "Run migrations/supabase_setup.sql as the owner: it grants what the service's role needs."),
    Row("42P01|42703|42883|3F000", "", "a table, a column or a function is missing", False,
        OPERATOR, _INIT_DB),
    Row("55000", "", "the server can't do that in its present state", False, OPERATOR),
    Row("2[23]", "", "a value or a constraint refuses", False, ALIVE),
    Row("58|XX00[12]", "", "the server can't read or write its files", False, OPERATOR,
        "See the server's log, and its disks."),
    Row(_ANY, "", "the server refuses", False, ALIVE,
        "What a SQLSTATE means: PostgreSQL's manual, Appendix A."),
)  # fmt: skip

LIBPQ = (
    Row(_NONE, r"SSL SYSCALL error|unexpected eof|SSL connection has been closed|"
        r"could not send (SSL|GSSAPI)",
        "the connection ended in the middle of TLS", True, GONE, _WAIT),
    Row(_NONE, r"does not support SSL", "the server has no TLS, which sslmode requires", False,
        OPERATOR, "Switch TLS on at the server, or on a network of your own ?sslmode=disable."),
    Row(_NONE, r"certificate verify failed|without a valid SSL certificate|did not request an SSL",
        "the server's certificate fails its check", False, OPERATOR, _CERTIFICATE),
    Row(_NONE, r"server certificate for .* does not match|host name must be specified|"
        r"SSL certificate's (name|address)|get server's host name",
        "the server's certificate is for another host name", False, OPERATOR,
        "DATABASE_URL must name the host as the certificate does."),
    Row(_NONE, r"root certificate|certificate file|private key|private SSL key|certificate present|"
        r"could not load system root", "a certificate or key file can't be used", False, OPERATOR,
        "See sslrootcert, sslcert and sslkey in DATABASE_URL."),
    Row(_NONE, r"SSL error: .*\balert\b", "the server ended TLS with an alert", False, OPERATOR,
        "Does it ask for a client's certificate (sslcert, sslkey) or another version of TLS?"),
    Row(_NONE, r"received invalid|unexpected message|but received|lost synchron|unsupported front",
        "something else than Postgres answers there", False, OPERATOR,
        "Are the host and the port those of Postgres?"),
    Row(_NONE, r"SSL|TLS|ALPN|GSS|channel binding", "no encrypted connection can be agreed on",
        False, OPERATOR, "See sslmode and its like in DATABASE_URL, and what the server offers."),
    Row(_NONE, r"password|SCRAM|SASL|[Aa]uthentication|server signature",
        "no way to sign in that both sides know", False, OPERATOR, _ROLE),
    Row(_NONE, r"^invalid|invalid (port|integer|value|connection option)|could not match|"
        r"could not parse network address|weak sslmode|invalid \S+ value",
        "DATABASE_URL asks for what libpq can't do", False, OPERATOR, "See its options."),
    Row(_NONE, r"could not create socket|[Tt]oo many open files|out of memory|Permission denied",
        "this machine can't open a connection", False, PROVOKED,
        "Raise the limit of open files, or mend the rights of the socket's folder."),
    Row(_NONE, r"Connection refused|No such file", "nobody listens there", True, GONE, _AWAY),
    Row(_NONE, r"No route|unreachable|Network is down|Host is down|Cannot assign requested",
        "there is no way to the host", True, GONE,
        "See the network, and the firewall. Supabase's direct connection has IPv6 only."),
    Row(_NONE, r"timeout expired|timed out|Resource temporarily unavailable",
        "the server does not answer", True, GONE, _AWAY),
    Row(_NONE, r"closed|reset by peer|[Bb]roken pipe|EOF|could not (receive|send)|"
        r"asynchronous connection failed", "the connection was lost", True, GONE, _WAIT),
)  # fmt: skip

TABLE = SUPAVISOR + PGBOUNCER + POSTGRES + LIBPQ

# What this side finds by itself, where nobody says anything.
NO_ANSWER = Row("", "", "no answer in time", True, GONE, _AWAY)
LOST = Row("", "", "the connection was lost", True, GONE, _WAIT)
NO_ADDRESS = Row("", "", "the host name can't be resolved", True,
    "DNS is away, or the name is wrong: which of them can't be told, and nothing was reached",
    "Is the host of DATABASE_URL written right, and does DNS answer here?")  # fmt: skip
FULL_POOL = Row("", "", "every connection of the pool is in use", False, PROVOKED, _POOL)
UNKNOWN = Row("", "", "", False, "nothing says that the connection failed")


def row_of(sqlstate: str | None, text: str) -> Row:
    """The row of what a server said with this SQLSTATE, or libpq without any."""
    return next((row for row in TABLE if row.fits(sqlstate or "", text)), UNKNOWN)
