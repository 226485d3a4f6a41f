-- One paste into Supabase's SQL editor: everything that the service needs in a project.
--
-- It makes the tables, or brings those of an older release up to date; closes them to Supabase's
-- public API; and makes the role that the service connects as. The last result shows that role's
-- new password, this once. Pasting it again is safe, and keeps the password.
-- docs/supabase.md has the steps around it. Any Postgres from 13 on takes it, too, with psql.

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
    if revision not in ('0001', '0002', '0003', '0004', '0005', '0006', '0007', '0008', '0009', '0010', '0011') then
      raise exception 'the schema is at revision %, which this file does not know: '
        'take the file of the newest release', revision;
    end if;
  end if;
end $$;

-- Revision 0001 ----------------------------------------------------------------------------------

create schema if not exists otp_service;

create table if not exists otp_service.alembic_version (
  version_num varchar(32) not null,
  constraint alembic_version_pkc primary key (version_num)
);

create table if not exists otp_service.verifications (
  id varchar(40) not null,
  client varchar(64) not null,
  phone varchar(16) not null,
  purpose varchar(32) not null,
  channel varchar(16) not null,
  locale varchar(64),
  status varchar(16) not null,
  generation integer not null,
  oldest_generation integer not null,
  attempts integer not null,
  max_attempts integer not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  verified_at timestamptz,
  canceled_at timestamptz,
  constraint pk_verifications primary key (id)
);
comment on column otp_service.verifications.generation is 'the newest code''s';
comment on column otp_service.verifications.oldest_generation is 'codes before it no longer verify';
comment on column otp_service.verifications.attempts is 'wrong guesses so far';
create index if not exists ix_verifications_client_phone_purpose_created_at
  on otp_service.verifications (client, phone, purpose, created_at);
create index if not exists ix_verifications_created_at on otp_service.verifications (created_at);
create index if not exists ix_verifications_phone on otp_service.verifications (phone);

create table if not exists otp_service.codes (
  verification_id varchar(40) not null,
  generation integer not null,
  mac varchar(64) not null,
  secret_id varchar(8) not null,
  expires_at timestamptz not null,
  constraint pk_codes primary key (verification_id, generation),
  constraint fk_codes_verification_id foreign key (verification_id)
    references otp_service.verifications (id) on delete cascade
);
comment on column otp_service.codes.secret_id is 'the secret that made it';

create table if not exists otp_service.attempts (
  id varchar(40) not null,
  verification_id varchar(40) not null,
  phone varchar(16) not null,
  correct boolean not null,
  created_at timestamptz not null,
  constraint pk_attempts primary key (id),
  constraint fk_attempts_verification_id foreign key (verification_id)
    references otp_service.verifications (id) on delete cascade
);
create index if not exists ix_attempts_verification_id on otp_service.attempts (verification_id);
create index if not exists ix_attempts_phone_created_at on otp_service.attempts (phone, created_at);

create table if not exists otp_service.deliveries (
  id varchar(40) not null,
  verification_id varchar(40) not null,
  phone varchar(16) not null,
  generation integer not null,
  channel varchar(16) not null,
  provider varchar(32) not null,
  provider_message_id varchar(255),
  status varchar(16) not null,
  error_code varchar(64),
  reason varchar(255),
  created_at timestamptz not null,
  submitted_at timestamptz,
  sent_at timestamptz,
  delivered_at timestamptz,
  read_at timestamptz,
  failed_at timestamptz,
  constraint pk_deliveries primary key (id),
  constraint fk_deliveries_verification_id foreign key (verification_id)
    references otp_service.verifications (id) on delete cascade
);
comment on column otp_service.deliveries.reason is 'the provider''s own words';
create index if not exists ix_deliveries_verification_id
  on otp_service.deliveries (verification_id);
create index if not exists ix_deliveries_provider_message_id
  on otp_service.deliveries (provider_message_id);
create index if not exists ix_deliveries_phone_created_at
  on otp_service.deliveries (phone, created_at);

create table if not exists otp_service.api_keys (
  name varchar(64) not null,
  digest varchar(64) not null,
  scopes varchar(255) not null,
  created_at timestamptz not null,
  revoked_at timestamptz,
  constraint pk_api_keys primary key (name),
  constraint uq_api_keys_digest unique (digest)
);
comment on column otp_service.api_keys.scopes is 'separated by spaces';

-- Revision 0002 ----------------------------------------------------------------------------------

do $$
begin
  if exists (
    select from pg_index
    where indexrelid = to_regclass('otp_service.ix_verifications_pending_expires_at')
      and not indisvalid
  ) then  -- what an interrupted `flask otp init-db` leaves
    drop index otp_service.ix_verifications_pending_expires_at;
  end if;
end $$;
create index if not exists ix_verifications_pending_expires_at
  on otp_service.verifications (expires_at) where status = 'pending' and canceled_at is null;
alter table otp_service.verifications add column if not exists timeline varchar(8);
comment on column otp_service.verifications.timeline is
  'of the Postgres it was issued on: a failover begins another';

-- Revision 0003 ----------------------------------------------------------------------------------

alter table otp_service.attempts
  add column if not exists failures integer,
  add column if not exists idempotency_key varchar(64),
  add column if not exists fingerprint varchar(64);
comment on column otp_service.attempts.failures is
  'wrong guesses of the verification, this one included';
comment on column otp_service.attempts.idempotency_key is 'its digest';
comment on column otp_service.attempts.fingerprint is 'of the request';
alter table otp_service.deliveries
  add column if not exists background boolean,
  add column if not exists auto boolean,
  add column if not exists follows varchar(40),
  add column if not exists tries integer,
  add column if not exists due_at timestamptz,
  add column if not exists lease varchar(40),
  add column if not exists idempotency_key varchar(64),
  add column if not exists fingerprint varchar(64);
comment on column otp_service.deliveries.background is 'the caller does not wait for it';
comment on column otp_service.deliveries.auto is 'it may be followed by an SMS';
comment on column otp_service.deliveries.follows is 'the message in whose place it was sent';
comment on column otp_service.deliveries.tries is 'calls of the provider, those before included';
comment on column otp_service.deliveries.due_at is 'when the worker looks at it';
comment on column otp_service.deliveries.lease is 'who has it in hand until then';
comment on column otp_service.deliveries.idempotency_key is 'its digest';
comment on column otp_service.deliveries.fingerprint is 'of the request';

create table if not exists otp_service.receipts (
  id varchar(40) not null,
  provider varchar(32) not null,
  provider_message_id varchar(255) not null,
  status varchar(16) not null,
  at timestamptz not null,
  error_code varchar(64),
  reason varchar(255),
  created_at timestamptz not null,
  due_at timestamptz not null,
  constraint pk_receipts primary key (id)
);
comment on column otp_service.receipts.at is 'by the provider''s clock';
comment on column otp_service.receipts.reason is 'the provider''s own words';
comment on column otp_service.receipts.due_at is 'when it is applied, or tried to';
create index if not exists ix_receipts_due_at on otp_service.receipts (due_at);

-- Revision 0004 ----------------------------------------------------------------------------------

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
create index if not exists ix_attempts_idempotency_key
  on otp_service.attempts (idempotency_key) where idempotency_key is not null;
create index if not exists ix_deliveries_due_at
  on otp_service.deliveries (due_at) where due_at is not null;
create index if not exists ix_deliveries_idempotency_key
  on otp_service.deliveries (idempotency_key) where idempotency_key is not null;

-- Revision 0005 ----------------------------------------------------------------------------------

alter table otp_service.verifications add column if not exists country varchar(2);
comment on column otp_service.verifications.country is 'of the phone (ISO 3166)';
alter table otp_service.deliveries
  add column if not exists address varchar(64),
  add column if not exists prefix varchar(16);
comment on column otp_service.deliveries.address is 'keyed hash of the end user''s';
comment on column otp_service.deliveries.prefix is 'the phone less its last four digits';
alter table otp_service.api_keys add column if not exists last_used_at timestamptz;
comment on column otp_service.api_keys.last_used_at is 'to the minute';

create table if not exists otp_service.phones (
  phone varchar(16) not null,
  failures integer not null,
  disabled_at timestamptz,
  unlocked_at timestamptz,
  updated_at timestamptz not null,
  constraint pk_phones primary key (phone)
);
create index if not exists ix_phones_updated_at on otp_service.phones (updated_at);
comment on column otp_service.phones.failures is 'wrong guesses in a row';
comment on column otp_service.phones.disabled_at is 'when there were too many in a row';
comment on column otp_service.phones.unlocked_at is 'limits don''t count what was before';

create table if not exists otp_service.client_requests (
  client varchar(64) not null,
  used integer not null,
  began_at timestamptz not null,
  constraint pk_client_requests primary key (client)
);
comment on column otp_service.client_requests.used is 'since then';

create table if not exists otp_service.signing_keys (
  kid varchar(64) not null,
  public_key varchar(255) not null,
  private_key varchar(1024) not null,
  secret_id varchar(8) not null,
  created_at timestamptz not null,
  signs_from timestamptz not null,
  revoked_at timestamptz,
  constraint pk_signing_keys primary key (kid)
);
comment on column otp_service.signing_keys.public_key is 'raw, base64url';
comment on column otp_service.signing_keys.private_key is 'encrypted with an OTP_SECRET';
comment on column otp_service.signing_keys.secret_id is 'the secret that encrypted it';
comment on column otp_service.signing_keys.signs_from is 'published since created_at';

create table if not exists otp_service.audit (
  id bigint generated by default as identity not null,
  at timestamptz not null,
  actor varchar(64) not null,
  action varchar(32) not null,
  verification_id varchar(40),
  phone varchar(16),
  phone_digest varchar(64),
  detail varchar(255),
  constraint pk_audit primary key (id)
);
comment on column otp_service.audit.actor is 'a client, or an operator''s account';
comment on column otp_service.audit.phone is 'masked';
comment on column otp_service.audit.phone_digest is 'keyed';
create index if not exists ix_audit_verification_id
  on otp_service.audit (verification_id) where verification_id is not null;
create index if not exists ix_audit_phone_digest
  on otp_service.audit (phone_digest) where phone_digest is not null;

do $$
begin
  if to_regprocedure('otp_service.refuse_audit_change()') is null then
    create function otp_service.refuse_audit_change() returns trigger language plpgsql as $f$
begin
  if tg_op = 'DELETE' then
    if old.at < now() - interval '90 days' then
      return old;
    end if;
  end if;
  raise exception 'the audit trail is append-only';
end $f$;
    create trigger audit_append_only before update or delete on otp_service.audit
      for each row execute function otp_service.refuse_audit_change();
    create trigger audit_no_truncate before truncate on otp_service.audit
      for each statement execute function otp_service.refuse_audit_change();
  end if;
end $$;

-- Revision 0006 ----------------------------------------------------------------------------------

create index if not exists ix_deliveries_address_created_at
  on otp_service.deliveries (address, created_at) where address is not null;
create index if not exists ix_deliveries_prefix_created_at
  on otp_service.deliveries (prefix, created_at) where prefix is not null;
create index if not exists ix_verifications_country_created_at
  on otp_service.verifications (country, created_at) where country is not null;

-- Revision 0007 ----------------------------------------------------------------------------------

alter table otp_service.receipts add column if not exists delivery_id varchar(40);
comment on column otp_service.receipts.delivery_id is 'that we gave with the message';

-- Revision 0008 ----------------------------------------------------------------------------------

alter table otp_service.deliveries add column if not exists price_category varchar(40);
alter table otp_service.deliveries add column if not exists price_billable boolean;
alter table otp_service.deliveries add column if not exists price_model varchar(40);
alter table otp_service.deliveries add column if not exists price_type varchar(40);
comment on column otp_service.deliveries.price_category is
  'its price''s category, in the provider''s words';
comment on column otp_service.deliveries.price_billable is 'whether it is charged for';
comment on column otp_service.deliveries.price_model is
  'its price''s model, in the provider''s words';
comment on column otp_service.deliveries.price_type is
  'its price''s type, in the provider''s words';
alter table otp_service.receipts add column if not exists price_category varchar(40);
alter table otp_service.receipts add column if not exists price_billable boolean;
alter table otp_service.receipts add column if not exists price_model varchar(40);
alter table otp_service.receipts add column if not exists price_type varchar(40);
comment on column otp_service.receipts.price_category is
  'its price''s category, in the provider''s words';
comment on column otp_service.receipts.price_billable is 'whether it is charged for';
comment on column otp_service.receipts.price_model is
  'its price''s model, in the provider''s words';
comment on column otp_service.receipts.price_type is
  'its price''s type, in the provider''s words';

create table if not exists otp_service.provider_events (
  id varchar(64) not null,
  provider varchar(32) not null,
  kind varchar(16) not null,
  name varchar(255) not null,
  ref varchar(255),
  language varchar(64),
  owner varchar(255),
  topic varchar(16) not null,
  state varchar(40) not null,
  level varchar(16) not null,
  detail varchar(255),
  at timestamptz not null,
  created_at timestamptz not null,
  constraint pk_provider_events primary key (id)
);
comment on column otp_service.provider_events.id is 'digest of what it is about';
comment on column otp_service.provider_events.ref is 'the provider''s id for it';
comment on column otp_service.provider_events.owner is 'the app or the number it belongs to';
comment on column otp_service.provider_events.detail is 'the provider''s own words';
comment on column otp_service.provider_events.at is 'by the provider''s clock';

-- Revision 0009 ----------------------------------------------------------------------------------

create table if not exists otp_service.requests (
  id varchar(40) not null,
  client varchar(64) not null,
  created_at timestamptz not null,
  constraint pk_requests primary key (id)
);
create index if not exists ix_requests_client_created_at
  on otp_service.requests (client, created_at);
alter table otp_service.deliveries add column if not exists client varchar(64);
comment on column otp_service.deliveries.client is 'who asked for it';

-- Revision 0010 ----------------------------------------------------------------------------------

create index if not exists ix_deliveries_client_failed_at
  on otp_service.deliveries (client, failed_at) where failed_at is not null;

-- Revision 0011 ----------------------------------------------------------------------------------

do $$
begin
  if exists (
    select from pg_constraint
    where conname = 'uq_api_keys_digest' and connamespace = 'otp_service'::regnamespace
  ) then
    alter table otp_service.api_keys
      drop constraint pk_api_keys,
      drop constraint uq_api_keys_digest,
      add constraint pk_api_keys primary key (digest);
  end if;
end $$;

-- All of it is there now -------------------------------------------------------------------------

update otp_service.alembic_version set version_num = '0011' where version_num <> '0011';
insert into otp_service.alembic_version (version_num)
  select '0011' where not exists (select from otp_service.alembic_version);

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
