-- After a restored backup the store may hold what the database has lost. It is kept until somebody decides.
create table kept_objects (
  repository_id bigint not null references repositories,
  key text not null,
  inserted_at timestamptz not null default now(),
  primary key (repository_id, key)
);
grant select, insert, delete on kept_objects to skep_generator;
