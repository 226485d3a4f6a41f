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
  if not pg_try_advisory_xact_lock({{lock}}) then
    raise exception 'an upgrade of this schema is running: paste again when it is done';
  end if;
  if to_regclass('otp_service.alembic_version') is not null then
    select version_num into revision from otp_service.alembic_version;
    if revision not in ({{known}}) then
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

{{migrations}}
-- All of it is there now -------------------------------------------------------------------------

update otp_service.alembic_version set version_num = '{{newest}}' where version_num <> '{{newest}}';
insert into otp_service.alembic_version (version_num)
  select '{{newest}}' where not exists (select from otp_service.alembic_version);

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
