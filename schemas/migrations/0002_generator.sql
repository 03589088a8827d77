-- The generator's own books: what is asked of it, what it is about to write, what it has written.

-- A key, not a change: whoever handles it reads the database again. No foreign key, as the package may be
-- gone by then. Rows are finished one by one, never up to a number: numbers do not commit in order.
create table changes (
  id bigint generated always as identity primary key,
  repository text not null,
  package text,                         -- null: only names, versions and public_key
  look boolean not null default false,  -- do not trust the records, look at the objects
  request_id text,
  attempts integer not null default 0,
  not_before timestamptz not null default now(),
  inserted_at timestamptz not null default now(),
  finished_at timestamptz,              -- recorded
  purge_id bigint,
  visible_at timestamptz                -- purge accepted and one fresh read-back
);
create index changes_pending on changes (repository, not_before) where finished_at is null;
create index changes_purge on changes (purge_id) where visible_at is null and purge_id is not null;
create index changes_visible on changes (visible_at) where visible_at is not null;

-- One generator works on a repository at a time; taking over raises the generation.
create table leases (
  repository_id bigint primary key references repositories,
  generation bigint not null default 0,
  holder text,
  expires_at timestamptz
);

-- What lies in the public store, as far as it was recorded.
create table objects (
  repository_id bigint not null references repositories,
  key text not null,
  package text,
  generation bigint not null,
  payload_hash bytea not null check (length(payload_hash) = 32),
  etag text not null,
  header_version integer not null,
  key_fingerprint text,                 -- of signed objects
  recorded_at timestamptz not null default now(),
  primary key (repository_id, key)
);
create index objects_package on objects (repository_id, package);

-- Written before the first PUT or DELETE of a batch, so that nothing half done is forgotten.
create table intents (
  repository_id bigint not null references repositories,
  key text not null,
  generation bigint not null,
  package text,
  payload_hash bytea,                   -- null: a deletion
  looks integer not null default 0,
  -- Set once a later generation has repaired the key: a request of the generator that was overtaken may
  -- still arrive, so the key is looked at again.
  look_at timestamptz,
  inserted_at timestamptz not null default now(),
  primary key (repository_id, key, generation)
);

-- Enqueued in the transaction that records a write, so that nothing is purged for a write that is not there.
create table purges (
  id bigint generated always as identity primary key,
  repository_id bigint not null references repositories,
  surrogate_keys text[] not null,
  target_keys text[] not null,          -- objects to read back
  rounds integer not null default 0,    -- fresh read-backs so far: two make it done
  attempts integer not null default 0,
  next_at timestamptz not null default now(),
  last_error text,
  inserted_at timestamptz not null default now()
);
create index purges_next on purges (next_at);

-- Tarballs and docs that nothing names any more. Due only after the registry files that do not name them
-- are known to be served, and a grace.
create table deletions (
  repository_id bigint not null references repositories,
  key text not null,
  package text not null,
  purge_id bigint,                      -- the purge to be seen through first
  due_at timestamptz,
  inserted_at timestamptz not null default now(),
  primary key (repository_id, key)
);
create index deletions_due on deletions (due_at) where due_at is not null;

-- Releases that no file may name, as the private store lost or spoilt their bytes. They come back by
-- themselves when the bytes do.
create table holds (
  repository_id bigint not null references repositories,
  package text not null,
  version text not null,
  reason text not null check (reason in ('blob_missing', 'blob_corrupt')),
  inserted_at timestamptz not null default now(),
  primary key (repository_id, package, version)
);

-- The key that everything in the bucket is signed with.
create table signing_keys (
  fingerprint text primary key,
  public_key text not null,
  active boolean not null,
  inserted_at timestamptz not null default now()
);
create unique index signing_keys_active on signing_keys (active) where active;
