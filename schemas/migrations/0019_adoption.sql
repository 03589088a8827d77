-- Every claim that this database has given. An object of another claim tells that the database was restored from a
-- backup, or that somebody else writes the same store.
create table claims (
  id uuid primary key default gen_random_uuid(),
  repository_id bigint not null references repositories,
  generation bigint not null,
  holder text,
  taken_at timestamptz not null default now()
);
grant select, insert on claims to skep_generator;

-- After a restored backup the generator raises the counters above what the public store has seen.
grant insert, update on package_revisions to skep_generator;
grant update (revision, updated_at) on repositories to skep_generator;
grant update (revision) on policies to skep_generator;
