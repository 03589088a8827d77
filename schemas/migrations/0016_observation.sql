-- What operators look at: what the sampler has found, and who may see the generator's books.

-- Kept for a week, after which nothing reads it: what is found is mended by the ordinary path.
create table sample_findings (
  id bigint generated always as identity primary key,
  repository_id bigint not null references repositories,
  key text not null,
  place text not null check (place in ('store', 'cdn')),
  found_at timestamptz not null default now()
);
create index sample_findings_found on sample_findings (found_at);

grant select, insert, delete on sample_findings to skep_generator;
-- `skep status` runs under either login. Whoever takes over the API sees the books, and still cannot change them.
grant select on sample_findings, leases, objects, purges, holds to skep_api;
grant select on read_only_mode to skep_generator;
