-- Names that were once an organization's. Clients, lock files and caches know them for ever, so nobody gets one.

create table reserved_names (
  name text primary key,
  reason text not null,
  inserted_at timestamptz not null default now()
);

grant select on reserved_names to skep_api;
