-- What running a registry needs beside its data: mails to send, limits, a block list, a read-only switch, and
-- what administrators allow.

-- Whether mails that nobody has to get are wanted: published packages, owners, members.
alter table users add column optional_mail boolean not null default true;

-- Written in the transaction of what they tell about. A row is deleted once its mail is delivered: some hold a
-- link that opens an account.
create table mails (
  id bigint generated always as identity primary key,
  kind text not null,
  recipient text not null,
  subject text not null,
  body_text text not null,
  body_html text not null,
  -- The same at each attempt, so that whoever gets a mail twice can tell.
  message_id uuid not null default gen_random_uuid(),
  attempts integer not null default 0,
  next_at timestamptz not null default now(),
  last_error text,
  failed_at timestamptz,               -- given up
  inserted_at timestamptz not null default now()
);
create index mails_due on mails (next_at) where failed_at is null;

create table password_resets (
  key_hash text primary key,           -- SHA-256
  user_id bigint not null references users on delete cascade,
  expires_at timestamptz not null,
  inserted_at timestamptz not null default now()
);
create index password_resets_user on password_resets (user_id);

-- Requests in fixed windows of time. Nothing that a crash may not take away.
create unlogged table counters (
  bucket text not null,
  period_index bigint not null,
  hits integer not null,
  ends_at timestamptz not null,
  primary key (bucket, period_index)
) with (fillfactor = 70);
create index counters_end on counters (ends_at);

create table blocked_addresses (
  network cidr primary key,
  reason text,
  inserted_at timestamptz not null default now()
);

-- A row is read-only mode.
create table read_only_mode (
  singleton boolean primary key default true check (singleton),
  message text,
  since timestamptz not null default now()
);

-- A release that may be published once more although it is old.
create table republish_permits (
  release_id bigint primary key references releases on delete cascade,
  until timestamptz not null
);

grant select, insert, update, delete on
  mails, password_resets, counters, blocked_addresses, read_only_mode, republish_permits
  to skep_api;
