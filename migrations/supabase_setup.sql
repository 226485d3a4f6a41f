-- One paste into Supabase's SQL editor: everything that the service needs in a project.
--
-- It makes the tables, or brings those of an older release up to date; closes them to Supabase's
-- public API; and makes the role that the service connects as. The last result shows that role's
-- new password, this once. Pasting it again is safe, and keeps the password.
-- docs/supabase.md has the steps around it. Any Postgres from 13 on takes it, too, with psql.
-- Written by `make supabase-sql`, from the migrations and supabase_setup.template.sql.

begin;
set local lock_timeout = '5s';  -- who waits for a table makes all who come later wait, too
set local client_min_messages = warning;
set local password_encryption = 'scram-sha-256';

do $$
declare
  revision text;
begin
  if not pg_try_advisory_xact_lock(7268452001) then
    raise exception 'an upgrade of this schema is running: paste again when it is done';
  end if;
  if to_regclass('otp_service.alembic_version') is not null then
    select version_num into revision from otp_service.alembic_version;
    if revision not in ('0001', '0002', '0003', '0004', '0005', '0006', '0007', '0008', '0009', '0010', '0011', '0012', '0013', '0014', '0015') then
      raise exception 'the schema is at revision %, which this file does not know: '
        'take the file of the newest release', revision;
    end if;
  end if;
  perform set_config('otp_service.revision', coalesce(revision, ''), true);  -- until commit
end $$;

create schema if not exists otp_service;
create table if not exists otp_service.alembic_version (
  version_num varchar(32) not null,
  constraint alembic_version_pkc primary key (version_num)
);

-- What an interrupted `otp init-db` leaves: indexes that nobody reads. They are made again below.
do $$
declare
  half_made regclass;
begin
  for half_made in
    select indexrelid::regclass from pg_index join pg_class on pg_class.oid = indexrelid
    where relnamespace = 'otp_service'::regnamespace and not indisvalid
  loop
    execute format('drop index %s', half_made);
  end loop;
end $$;

-- Revision 0001 ----------------------------------------------------------------------------------
-- Verifications, their codes, attempts and deliveries; API keys.

CREATE TABLE IF NOT EXISTS otp_service.verifications (
    id VARCHAR(40) NOT NULL,
    client VARCHAR(64) NOT NULL,
    phone VARCHAR(16) NOT NULL,
    purpose VARCHAR(32) NOT NULL,
    channel VARCHAR(16) NOT NULL,
    locale VARCHAR(64),
    status VARCHAR(16) NOT NULL,
    generation INTEGER NOT NULL,
    oldest_generation INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    verified_at TIMESTAMP WITH TIME ZONE,
    canceled_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_verifications PRIMARY KEY (id)
);
COMMENT ON COLUMN otp_service.verifications.generation IS 'the newest code''s';
COMMENT ON COLUMN otp_service.verifications.oldest_generation IS 'codes before it no longer verify';
COMMENT ON COLUMN otp_service.verifications.attempts IS 'wrong guesses so far';
CREATE INDEX IF NOT EXISTS ix_verifications_client_phone_purpose_created_at ON otp_service.verifications (client, phone, purpose, created_at);
CREATE INDEX IF NOT EXISTS ix_verifications_created_at ON otp_service.verifications (created_at);
CREATE INDEX IF NOT EXISTS ix_verifications_phone ON otp_service.verifications (phone);

CREATE TABLE IF NOT EXISTS otp_service.codes (
    verification_id VARCHAR(40) NOT NULL,
    generation INTEGER NOT NULL,
    mac VARCHAR(64) NOT NULL,
    secret_id VARCHAR(8) NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_codes PRIMARY KEY (verification_id, generation),
    CONSTRAINT fk_codes_verification_id FOREIGN KEY(verification_id) REFERENCES otp_service.verifications (id) ON DELETE CASCADE
);
COMMENT ON COLUMN otp_service.codes.secret_id IS 'the secret that made it';

CREATE TABLE IF NOT EXISTS otp_service.attempts (
    id VARCHAR(40) NOT NULL,
    verification_id VARCHAR(40) NOT NULL,
    phone VARCHAR(16) NOT NULL,
    correct BOOLEAN NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_attempts PRIMARY KEY (id),
    CONSTRAINT fk_attempts_verification_id FOREIGN KEY(verification_id) REFERENCES otp_service.verifications (id) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_attempts_verification_id ON otp_service.attempts (verification_id);
CREATE INDEX IF NOT EXISTS ix_attempts_phone_created_at ON otp_service.attempts (phone, created_at);

CREATE TABLE IF NOT EXISTS otp_service.deliveries (
    id VARCHAR(40) NOT NULL,
    verification_id VARCHAR(40) NOT NULL,
    phone VARCHAR(16) NOT NULL,
    generation INTEGER NOT NULL,
    channel VARCHAR(16) NOT NULL,
    provider VARCHAR(32) NOT NULL,
    provider_message_id VARCHAR(255),
    status VARCHAR(16) NOT NULL,
    error_code VARCHAR(64),
    reason VARCHAR(255),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE,
    sent_at TIMESTAMP WITH TIME ZONE,
    delivered_at TIMESTAMP WITH TIME ZONE,
    read_at TIMESTAMP WITH TIME ZONE,
    failed_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_deliveries PRIMARY KEY (id),
    CONSTRAINT fk_deliveries_verification_id FOREIGN KEY(verification_id) REFERENCES otp_service.verifications (id) ON DELETE CASCADE
);
COMMENT ON COLUMN otp_service.deliveries.reason IS 'the provider''s own words';
CREATE INDEX IF NOT EXISTS ix_deliveries_verification_id ON otp_service.deliveries (verification_id);
CREATE INDEX IF NOT EXISTS ix_deliveries_provider_message_id ON otp_service.deliveries (provider_message_id);
CREATE INDEX IF NOT EXISTS ix_deliveries_phone_created_at ON otp_service.deliveries (phone, created_at);

CREATE TABLE IF NOT EXISTS otp_service.api_keys (
    name VARCHAR(64) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    scopes VARCHAR(255) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_api_keys PRIMARY KEY (name),
    CONSTRAINT uq_api_keys_digest UNIQUE (digest)
);
COMMENT ON COLUMN otp_service.api_keys.scopes IS 'separated by spaces';

-- Revision 0002 ----------------------------------------------------------------------------------
-- Failovers are noticed, and what is overdue is found without a scan.

CREATE INDEX IF NOT EXISTS ix_verifications_pending_expires_at ON otp_service.verifications (expires_at) WHERE status = 'pending' AND canceled_at IS NULL;
ALTER TABLE otp_service.verifications ADD COLUMN IF NOT EXISTS timeline VARCHAR(8);
COMMENT ON COLUMN otp_service.verifications.timeline IS 'of the Postgres it was issued on: a failover begins another';

-- Revision 0003 ----------------------------------------------------------------------------------
-- Deliveries that are retried and followed by others, receipts, repeated requests.

ALTER TABLE otp_service.attempts ADD COLUMN IF NOT EXISTS failures INTEGER;
COMMENT ON COLUMN otp_service.attempts.failures IS 'wrong guesses of the verification, this one included';
ALTER TABLE otp_service.attempts ADD COLUMN IF NOT EXISTS idempotency_key VARCHAR(64);
COMMENT ON COLUMN otp_service.attempts.idempotency_key IS 'its digest';
ALTER TABLE otp_service.attempts ADD COLUMN IF NOT EXISTS fingerprint VARCHAR(64);
COMMENT ON COLUMN otp_service.attempts.fingerprint IS 'of the request';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS background BOOLEAN;
COMMENT ON COLUMN otp_service.deliveries.background IS 'the caller does not wait for it';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS auto BOOLEAN;
COMMENT ON COLUMN otp_service.deliveries.auto IS 'it may be followed by an SMS';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS follows VARCHAR(40);
COMMENT ON COLUMN otp_service.deliveries.follows IS 'the message in whose place it was sent';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS tries INTEGER;
COMMENT ON COLUMN otp_service.deliveries.tries IS 'calls of the provider, those before included';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS due_at TIMESTAMP WITH TIME ZONE;
COMMENT ON COLUMN otp_service.deliveries.due_at IS 'when the worker looks at it';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS lease VARCHAR(40);
COMMENT ON COLUMN otp_service.deliveries.lease IS 'who has it in hand until then';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS idempotency_key VARCHAR(64);
COMMENT ON COLUMN otp_service.deliveries.idempotency_key IS 'its digest';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS fingerprint VARCHAR(64);
COMMENT ON COLUMN otp_service.deliveries.fingerprint IS 'of the request';

CREATE TABLE IF NOT EXISTS otp_service.receipts (
    id VARCHAR(40) NOT NULL,
    provider VARCHAR(32) NOT NULL,
    provider_message_id VARCHAR(255) NOT NULL,
    status VARCHAR(16) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    error_code VARCHAR(64),
    reason VARCHAR(255),
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_receipts PRIMARY KEY (id)
);
COMMENT ON COLUMN otp_service.receipts.at IS 'by the provider''s clock';
COMMENT ON COLUMN otp_service.receipts.reason IS 'the provider''s own words';
COMMENT ON COLUMN otp_service.receipts.due_at IS 'when it is applied, or tried to';
CREATE INDEX IF NOT EXISTS ix_receipts_due_at ON otp_service.receipts (due_at);

-- Revision 0004 ----------------------------------------------------------------------------------
-- Indexes for what is due and for repeated requests.

CREATE INDEX IF NOT EXISTS ix_attempts_idempotency_key ON otp_service.attempts (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS ix_deliveries_due_at ON otp_service.deliveries (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS ix_deliveries_idempotency_key ON otp_service.deliveries (idempotency_key) WHERE idempotency_key IS NOT NULL;

-- Revision 0005 ----------------------------------------------------------------------------------
-- What limits count beside messages and attempts; the audit trail; keys that sign proofs.

ALTER TABLE otp_service.verifications ADD COLUMN IF NOT EXISTS country VARCHAR(2);
COMMENT ON COLUMN otp_service.verifications.country IS 'of the phone (ISO 3166)';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS address VARCHAR(64);
COMMENT ON COLUMN otp_service.deliveries.address IS 'keyed hash of the end user''s';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS prefix VARCHAR(16);
COMMENT ON COLUMN otp_service.deliveries.prefix IS 'the phone less its last four digits';
ALTER TABLE otp_service.api_keys ADD COLUMN IF NOT EXISTS last_used_at TIMESTAMP WITH TIME ZONE;
COMMENT ON COLUMN otp_service.api_keys.last_used_at IS 'to the minute';

CREATE TABLE IF NOT EXISTS otp_service.phones (
    phone VARCHAR(16) NOT NULL,
    failures INTEGER NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    unlocked_at TIMESTAMP WITH TIME ZONE,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_phones PRIMARY KEY (phone)
);
COMMENT ON COLUMN otp_service.phones.failures IS 'wrong guesses in a row';
COMMENT ON COLUMN otp_service.phones.disabled_at IS 'when there were too many in a row';
COMMENT ON COLUMN otp_service.phones.unlocked_at IS 'limits don''t count what was before';
CREATE INDEX IF NOT EXISTS ix_phones_updated_at ON otp_service.phones (updated_at);

CREATE TABLE IF NOT EXISTS otp_service.client_requests (
    client VARCHAR(64) NOT NULL,
    used INTEGER NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_client_requests PRIMARY KEY (client)
);
COMMENT ON COLUMN otp_service.client_requests.used IS 'since then';

CREATE TABLE IF NOT EXISTS otp_service.signing_keys (
    kid VARCHAR(64) NOT NULL,
    public_key VARCHAR(255) NOT NULL,
    private_key VARCHAR(1024) NOT NULL,
    secret_id VARCHAR(8) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    signs_from TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_signing_keys PRIMARY KEY (kid)
);
COMMENT ON COLUMN otp_service.signing_keys.public_key IS 'raw, base64url';
COMMENT ON COLUMN otp_service.signing_keys.private_key IS 'encrypted with an OTP_SECRET';
COMMENT ON COLUMN otp_service.signing_keys.secret_id IS 'the secret that encrypted it';
COMMENT ON COLUMN otp_service.signing_keys.signs_from IS 'published since created_at';

CREATE TABLE IF NOT EXISTS otp_service.audit (
    id BIGINT GENERATED BY DEFAULT AS IDENTITY,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor VARCHAR(64) NOT NULL,
    action VARCHAR(32) NOT NULL,
    verification_id VARCHAR(40),
    phone VARCHAR(16),
    phone_digest VARCHAR(64),
    detail VARCHAR(255),
    CONSTRAINT pk_audit PRIMARY KEY (id)
);
COMMENT ON COLUMN otp_service.audit.actor IS 'a client, or an operator''s account';
COMMENT ON COLUMN otp_service.audit.phone IS 'masked';
COMMENT ON COLUMN otp_service.audit.phone_digest IS 'keyed';
CREATE INDEX IF NOT EXISTS ix_audit_verification_id ON otp_service.audit (verification_id) WHERE verification_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS ix_audit_phone_digest ON otp_service.audit (phone_digest) WHERE phone_digest IS NOT NULL;
do $revision$
begin
  if current_setting('otp_service.revision') < '0005' then
CREATE FUNCTION otp_service.refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
begin
  if tg_op = 'DELETE' then
    if old.at < now() - interval '90 days' then
      return old;
    end if;
  end if;
  raise exception 'the audit trail is append-only';
end $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON otp_service.audit FOR EACH ROW EXECUTE FUNCTION otp_service.refuse_audit_change();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON otp_service.audit FOR EACH STATEMENT EXECUTE FUNCTION otp_service.refuse_audit_change();
  end if;
end $revision$;

-- Revision 0006 ----------------------------------------------------------------------------------
-- Indexes for the limits that count by address, by prefix and by country.

CREATE INDEX IF NOT EXISTS ix_deliveries_address_created_at ON otp_service.deliveries (address, created_at) WHERE address IS NOT NULL;
CREATE INDEX IF NOT EXISTS ix_deliveries_prefix_created_at ON otp_service.deliveries (prefix, created_at) WHERE prefix IS NOT NULL;
CREATE INDEX IF NOT EXISTS ix_verifications_country_created_at ON otp_service.verifications (country, created_at) WHERE country IS NOT NULL;

-- Revision 0007 ----------------------------------------------------------------------------------
-- Receipts that name our own delivery, where the provider's answer to its send was lost.

ALTER TABLE otp_service.receipts ADD COLUMN IF NOT EXISTS delivery_id VARCHAR(40);
COMMENT ON COLUMN otp_service.receipts.delivery_id IS 'that we gave with the message';

-- Revision 0008 ----------------------------------------------------------------------------------
-- What providers tell of prices, of templates, of numbers and of the account.

ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS price_category VARCHAR(40);
COMMENT ON COLUMN otp_service.deliveries.price_category IS 'its price''s category, in the provider''s words';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS price_billable BOOLEAN;
COMMENT ON COLUMN otp_service.deliveries.price_billable IS 'whether it is charged for';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS price_model VARCHAR(40);
COMMENT ON COLUMN otp_service.deliveries.price_model IS 'its price''s model, in the provider''s words';
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS price_type VARCHAR(40);
COMMENT ON COLUMN otp_service.deliveries.price_type IS 'its price''s type, in the provider''s words';
ALTER TABLE otp_service.receipts ADD COLUMN IF NOT EXISTS price_category VARCHAR(40);
COMMENT ON COLUMN otp_service.receipts.price_category IS 'its price''s category, in the provider''s words';
ALTER TABLE otp_service.receipts ADD COLUMN IF NOT EXISTS price_billable BOOLEAN;
COMMENT ON COLUMN otp_service.receipts.price_billable IS 'whether it is charged for';
ALTER TABLE otp_service.receipts ADD COLUMN IF NOT EXISTS price_model VARCHAR(40);
COMMENT ON COLUMN otp_service.receipts.price_model IS 'its price''s model, in the provider''s words';
ALTER TABLE otp_service.receipts ADD COLUMN IF NOT EXISTS price_type VARCHAR(40);
COMMENT ON COLUMN otp_service.receipts.price_type IS 'its price''s type, in the provider''s words';

CREATE TABLE IF NOT EXISTS otp_service.provider_events (
    id VARCHAR(64) NOT NULL,
    provider VARCHAR(32) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    name VARCHAR(255) NOT NULL,
    ref VARCHAR(255),
    language VARCHAR(64),
    owner VARCHAR(255),
    topic VARCHAR(16) NOT NULL,
    state VARCHAR(40) NOT NULL,
    level VARCHAR(16) NOT NULL,
    detail VARCHAR(255),
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_provider_events PRIMARY KEY (id)
);
COMMENT ON COLUMN otp_service.provider_events.id IS 'digest of what it is about';
COMMENT ON COLUMN otp_service.provider_events.ref IS 'the provider''s id for it';
COMMENT ON COLUMN otp_service.provider_events.owner IS 'the app or the number it belongs to';
COMMENT ON COLUMN otp_service.provider_events.detail IS 'the provider''s own words';
COMMENT ON COLUMN otp_service.provider_events.at IS 'by the provider''s clock';

-- Revision 0009 ----------------------------------------------------------------------------------
-- What limits count besides: a client's requests one by one, and whose a message was.

CREATE TABLE IF NOT EXISTS otp_service.requests (
    id VARCHAR(40) NOT NULL,
    client VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_requests PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS ix_requests_client_created_at ON otp_service.requests (client, created_at);
ALTER TABLE otp_service.deliveries ADD COLUMN IF NOT EXISTS client VARCHAR(64);
COMMENT ON COLUMN otp_service.deliveries.client IS 'who asked for it';

-- Revision 0010 ----------------------------------------------------------------------------------
-- An index for the limit of what a provider refuses a client.

CREATE INDEX IF NOT EXISTS ix_deliveries_client_failed_at ON otp_service.deliveries (client, failed_at) WHERE failed_at IS NOT NULL;

-- Revision 0011 ----------------------------------------------------------------------------------
-- A client may have several API keys: what tells keys apart is their digest, not the client's name.

do $revision$
begin
  if current_setting('otp_service.revision') < '0011' then
ALTER TABLE otp_service.api_keys DROP CONSTRAINT pk_api_keys;
ALTER TABLE otp_service.api_keys ADD CONSTRAINT pk_api_keys PRIMARY KEY (digest);
ALTER TABLE otp_service.api_keys DROP CONSTRAINT uq_api_keys_digest;
  end if;
end $revision$;

-- Revision 0012 ----------------------------------------------------------------------------------
-- A client's requests take slots: they no longer wait for each other, and leave nothing to delete.

CREATE TABLE IF NOT EXISTS otp_service.request_slots (
    client VARCHAR(64) NOT NULL,
    number INTEGER NOT NULL,
    taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_request_slots PRIMARY KEY (client, number)
);

-- Revision 0013 ----------------------------------------------------------------------------------
-- Codes that callers made: sealed, until they are out.

CREATE TABLE IF NOT EXISTS otp_service.sealed_codes (
    verification_id VARCHAR(40) NOT NULL,
    generation INTEGER NOT NULL,
    sealed VARCHAR(255) NOT NULL,
    secret_id VARCHAR(8) NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    CONSTRAINT pk_sealed_codes PRIMARY KEY (verification_id, generation),
    CONSTRAINT fk_sealed_codes_verification_id FOREIGN KEY(verification_id) REFERENCES otp_service.verifications (id) ON DELETE CASCADE
);
COMMENT ON COLUMN otp_service.sealed_codes.sealed IS 'the digits';
COMMENT ON COLUMN otp_service.sealed_codes.secret_id IS 'the secret that sealed it';
CREATE INDEX IF NOT EXISTS ix_sealed_codes_expires_at ON otp_service.sealed_codes (expires_at);

-- Revision 0014 ----------------------------------------------------------------------------------
-- Events to callers: the endpoints that get them, the outbox, what happens to verifications.

CREATE TABLE IF NOT EXISTS otp_service.event_endpoints (
    id VARCHAR(40) NOT NULL,
    url VARCHAR(2048) NOT NULL,
    client VARCHAR(64),
    types VARCHAR(255) NOT NULL,
    with_phone BOOLEAN NOT NULL,
    secret VARCHAR(255) NOT NULL,
    secret_id VARCHAR(8) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_event_endpoints PRIMARY KEY (id)
);
COMMENT ON COLUMN otp_service.event_endpoints.client IS 'whose events; null: all';
COMMENT ON COLUMN otp_service.event_endpoints.types IS 'separated by spaces; none of them: all';
COMMENT ON COLUMN otp_service.event_endpoints.secret IS 'sealed with an OTP_SECRET';
COMMENT ON COLUMN otp_service.event_endpoints.secret_id IS 'the secret that sealed it';
COMMENT ON COLUMN otp_service.event_endpoints.revoked_at IS 'removed, or it wants no more';

CREATE TABLE IF NOT EXISTS otp_service.events (
    number BIGINT GENERATED BY DEFAULT AS IDENTITY,
    id VARCHAR(40) NOT NULL,
    endpoint_id VARCHAR(40) NOT NULL,
    verification_id VARCHAR(40) NOT NULL,
    delivery_id VARCHAR(40),
    type VARCHAR(32) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    status VARCHAR(16) NOT NULL,
    channel VARCHAR(16) NOT NULL,
    failure VARCHAR(64),
    reason VARCHAR(255),
    tries INTEGER NOT NULL,
    due_at TIMESTAMP WITH TIME ZONE,
    lease VARCHAR(40),
    told_at TIMESTAMP WITH TIME ZONE,
    CONSTRAINT pk_events PRIMARY KEY (number),
    CONSTRAINT fk_events_verification_id FOREIGN KEY(verification_id) REFERENCES otp_service.verifications (id) ON DELETE CASCADE
);
COMMENT ON COLUMN otp_service.events.id IS 'what the endpoint knows it by';
COMMENT ON COLUMN otp_service.events.reason IS 'the provider''s own words';
COMMENT ON COLUMN otp_service.events.due_at IS 'null: told, or given up';
COMMENT ON COLUMN otp_service.events.lease IS 'who has it in hand until then';
CREATE INDEX IF NOT EXISTS ix_events_verification_id_endpoint_id_number ON otp_service.events (verification_id, endpoint_id, number);
CREATE INDEX IF NOT EXISTS ix_events_endpoint_id_due_at ON otp_service.events (endpoint_id, due_at) WHERE due_at IS NOT NULL;
do $revision$
begin
  if current_setting('otp_service.revision') < '0014' then
CREATE FUNCTION otp_service.tell_of_verification() RETURNS trigger LANGUAGE plpgsql AS $$
begin
if (CASE tg_op WHEN 'INSERT' THEN NEW.status = 'pending' ELSE OLD.status = 'pending' AND NEW.status IN ('verified', 'failed', 'expired', 'canceled') END) then
if EXISTS (SELECT 1 FROM otp_service.event_endpoints) then
INSERT INTO otp_service.events (
  id, endpoint_id, verification_id, type, at, status, channel, failure, reason, tries, due_at
)
SELECT
  'evt_' || replace(gen_random_uuid()::text, '-', ''), e.id, NEW.id, 'verification.' || CASE NEW.status WHEN 'pending' THEN 'started' ELSE NEW.status END,
  coalesce(CASE NEW.status
    WHEN 'pending' THEN NEW.created_at
    WHEN 'verified' THEN NEW.verified_at
    WHEN 'canceled' THEN NEW.canceled_at
    WHEN 'expired' THEN NEW.expires_at
  END, clock_timestamp()),
  NEW.status, NEW.channel, (
    SELECT d.error_code FROM otp_service.deliveries d
    WHERE NEW.status = 'failed' AND NEW.attempts < NEW.max_attempts
      AND d.verification_id = NEW.id AND d.status = 'failed'
    ORDER BY d.failed_at DESC LIMIT 1
  ), (
    SELECT d.reason FROM otp_service.deliveries d
    WHERE NEW.status = 'failed' AND NEW.attempts < NEW.max_attempts
      AND d.verification_id = NEW.id AND d.status = 'failed'
    ORDER BY d.failed_at DESC LIMIT 1
  ), 0, clock_timestamp()
FROM otp_service.event_endpoints e
WHERE e.revoked_at IS NULL
  AND (e.client IS NULL OR e.client = NEW.client)
  AND (e.types = '' OR strpos(' ' || e.types || ' ', ' ' || 'verification.' || CASE NEW.status WHEN 'pending' THEN 'started' ELSE NEW.status END || ' ') > 0);
end if;
end if;
return null;
end $$;
CREATE TRIGGER verification_changed AFTER INSERT OR UPDATE OF status ON otp_service.verifications FOR EACH ROW EXECUTE FUNCTION otp_service.tell_of_verification();
  end if;
end $revision$;

-- Revision 0015 ----------------------------------------------------------------------------------
-- Events to callers: what happens to messages.

do $revision$
begin
  if current_setting('otp_service.revision') < '0015' then
CREATE FUNCTION otp_service.tell_of_message() RETURNS trigger LANGUAGE plpgsql AS $$
begin
if NEW.status <> OLD.status AND (NEW.status IN ('submitted', 'delivered', 'read', 'failed') OR (NEW.status = 'sent' AND OLD.status = 'queued')) then
if EXISTS (SELECT 1 FROM otp_service.event_endpoints) then
INSERT INTO otp_service.events (
  id, endpoint_id, verification_id, delivery_id, type, at, status, channel, failure, reason,
  tries, due_at
)
SELECT
  'evt_' || replace(gen_random_uuid()::text, '-', ''), e.id, NEW.verification_id, NEW.id, 'message.' || CASE NEW.status WHEN 'sent' THEN 'submitted' ELSE NEW.status END,
  coalesce(CASE NEW.status
    WHEN 'delivered' THEN NEW.delivered_at
    WHEN 'read' THEN NEW.read_at
    WHEN 'failed' THEN NEW.failed_at
    ELSE NEW.submitted_at
  END, clock_timestamp()),
  NEW.status, NEW.channel, CASE NEW.status WHEN 'failed' THEN NEW.error_code END,
  CASE NEW.status WHEN 'failed' THEN NEW.reason END, 0, clock_timestamp()
FROM otp_service.event_endpoints e
WHERE e.revoked_at IS NULL
  AND (e.client IS NULL OR e.client = (SELECT v.client FROM otp_service.verifications v WHERE v.id = NEW.verification_id))
  AND (e.types = '' OR strpos(' ' || e.types || ' ', ' ' || 'message.' || CASE NEW.status WHEN 'sent' THEN 'submitted' ELSE NEW.status END || ' ') > 0);
end if;
end if;
return null;
end $$;
CREATE TRIGGER message_changed AFTER UPDATE OF status ON otp_service.deliveries FOR EACH ROW EXECUTE FUNCTION otp_service.tell_of_message();
  end if;
end $revision$;

-- All of it is there now -------------------------------------------------------------------------

update otp_service.alembic_version set version_num = '0015' where version_num <> '0015';
insert into otp_service.alembic_version (version_num)
  select '0015' where not exists (select from otp_service.alembic_version);

-- The service's own role. Its password is made here: it is in nothing that is pasted or logged.
do $$
declare
  password text := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
begin
  if not exists (select from pg_roles where rolname = 'otp_service') then
    execute format('create role otp_service login password %L', password);
    perform set_config('otp_service.new_password', password, true);  -- until commit
  end if;
end $$;
alter role otp_service set statement_timeout = '2s';
alter role otp_service set lock_timeout = '1s';
alter role otp_service set idle_in_transaction_session_timeout = '10s';

-- Nobody but that role: no rights for the roles of Supabase's API, and row-level security in case
-- somebody gives them some.
do $$
declare
  other text;
  this record;
begin
  for other in
    select 'public' union all
    select quote_ident(rolname) from pg_roles
    where rolname in ('anon', 'authenticated', 'service_role')
  loop
    execute format('revoke all on schema otp_service from %s cascade', other);
    execute format('revoke all on all tables in schema otp_service from %s cascade', other);
  end loop;

  grant usage on schema otp_service to otp_service;
  for this in
    select oid::regclass as name, relname, relrowsecurity as is_closed from pg_class
    where relnamespace = 'otp_service'::regnamespace and relkind = 'r'
  loop
    execute format('grant select on %s to otp_service', this.name);
    if this.relname = 'audit' then  -- append-only: the trigger allows to delete what is old
      execute format('grant insert, delete on %s to otp_service', this.name);
    elsif this.relname <> 'alembic_version' then
      execute format('grant insert, update, delete on %s to otp_service', this.name);
    end if;
    if not this.is_closed then
      execute format('alter table %s enable row level security', this.name);
    end if;
    if not exists (
      select from pg_policy where polrelid = this.name::oid and polname = 'the service'
    ) then
      execute format(
        'create policy "the service" on %s to otp_service using (true) with check (true)',
        this.name
      );
    end if;
  end loop;
end $$;

select
  'otp_service' as role,
  coalesce(
    nullif(current_setting('otp_service.new_password', true), ''),
    '(the role was there already and keeps its password)'
  ) as password,
  'postgresql://otp_service:PASSWORD@db.PROJECT_REF.supabase.co:5432/postgres'
    '?sslmode=verify-full&sslrootcert=FILE' as "DATABASE_URL, direct",
  'postgresql://otp_service.PROJECT_REF:PASSWORD@REGION.pooler.supabase.com:5432/postgres'
    '?sslmode=verify-full&sslrootcert=FILE' as "DATABASE_URL, session pooler";
commit;
