-- Policies of organizations: which releases their members' clients resolve.

create table policies (
  id bigint generated always as identity primary key,
  repository_id bigint not null references repositories on delete cascade,
  name text not null,
  visibility text not null check (visibility in ('private', 'public')),
  -- As the file says it; null for one that was deleted. The row stays, or its revision would begin anew.
  document jsonb,
  revision bigint not null default 1,
  inserted_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (repository_id, name)
);

grant select, insert, update on policies to skep_api;
grant select on policies to skep_generator;
