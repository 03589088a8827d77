-- Search, download counts, advisories, short URLs, and what the audit log is asked for.

-- Versions in the order of hex/versions/key.ts, releases before pre-releases: the greatest is the latest.
create function number_rank(digits text) returns text language sql immutable strict parallel safe
return case when length(digits) <= 25 then chr(96 + length(digits)) || digits
  else 'z' || lpad(length(digits)::text, 10, '0') || digits end;

create function release_rank(version text) returns text language plpgsql immutable strict parallel safe as $$
declare
  without_build constant text := split_part(version, '+', 1);
  core constant text[] := string_to_array(split_part(without_build, '-', 1), '.');
  pre constant text := substring(without_build from '-(.*)$');
  identifier text;
  rank text := '';
  between text := '-';
begin
  foreach identifier in array core loop
    rank := rank || number_rank(identifier);
  end loop;
  if pre is null then
    return '1' || rank || '~';
  end if;
  foreach identifier in array string_to_array(pre, '.') loop
    rank := rank || between
      || case when identifier ~ '^[0-9]+$' then '0' || number_rank(identifier) else '1' || identifier end;
    between := '!';
  end loop;
  return '0' || rank;
end $$;

alter table releases
  add column latest_rank text collate "C" generated always as (release_rank(version)) stored;
create index releases_latest on releases (package_id, latest_rank desc);

-- Postgres refuses to index a text without end, and one such description would fail every search. Dots and slashes
-- go, as the parser takes words that they join for hosts and paths.
alter table packages
  add column description_words tsvector generated always as (
    to_tsvector('english', translate(left(coalesce(meta->>'description', ''), 20000), './', '  '))
  ) stored,
  add column latest_release_id bigint,
  add column build_tools text[] not null default '{}';

create function build_tools_of(meta jsonb) returns setof text language sql immutable strict parallel safe
begin atomic
  select jsonb_array_elements_text(meta->'build_tools') where jsonb_typeof(meta->'build_tools') = 'array';
end;

-- Once a statement, so that a package of thousands of releases can be loaded. What is added can only add tools.
create function refresh_release_summaries() returns trigger language plpgsql as $$
begin
  with ids as (
    select distinct package_id from changed
  ), tool_rows as (
    select package_id, tool from changed, build_tools_of(meta) as tool where tg_op = 'INSERT'
    union all
    select id, unnest(build_tools) from packages where tg_op = 'INSERT' and id in (select package_id from ids)
    union all
    select package_id, tool from releases, build_tools_of(meta) as tool
      where tg_op <> 'INSERT' and package_id in (select package_id from ids)
  ), tools as (
    select package_id, array_agg(distinct tool order by tool) as list from tool_rows group by package_id
  ), wanted as (
    select ids.package_id, coalesce(tools.list, '{}') as build_tools, (
        select r.id from releases r where r.package_id = ids.package_id order by r.latest_rank desc, r.id desc limit 1
      ) as latest_release_id
    from ids left join tools using (package_id)
  )
  update packages p set latest_release_id = wanted.latest_release_id, build_tools = wanted.build_tools
  from wanted
  where p.id = wanted.package_id
    and (p.latest_release_id is distinct from wanted.latest_release_id or p.build_tools <> wanted.build_tools);
  return null;
end $$;

create trigger releases_summary_insert after insert on releases
  referencing new table as changed for each statement execute function refresh_release_summaries();
create trigger releases_summary_update after update on releases
  referencing new table as changed for each statement execute function refresh_release_summaries();
create trigger releases_summary_delete after delete on releases
  referencing old table as changed for each statement execute function refresh_release_summaries();

-- Packages that are there already.
update releases set version = version;

create index packages_by_name on packages (name collate "C");
create index packages_by_inserted on packages (inserted_at desc);
create index packages_by_updated on packages (updated_at desc);
create index packages_latest_release on packages (latest_release_id);
create index packages_description on packages using gin (description_words);
create index packages_build_tools on packages using gin (build_tools);
create index packages_extra on packages using gin ((meta->'extra') jsonb_path_ops) where meta->'extra' is not null;
create index requirements_dependents on requirements (package, repository, release_id);
drop index requirements_target;

-- Search finds parts of names without the extension too: it then reads all names, which takes longer.
do $$
declare
  place text;
begin
  begin
    create extension if not exists pg_trgm;
  exception
    when insufficient_privilege or undefined_file or feature_not_supported then
      raise notice 'search goes without pg_trgm: %', sqlerrm;
  end;
  select n.nspname into place
    from pg_opclass o join pg_namespace n on n.oid = o.opcnamespace where o.opcname = 'gin_trgm_ops' limit 1;
  if place is not null then
    execute format('create index packages_name_parts on packages using gin (name %I.gin_trgm_ops)', place);
  end if;
end $$;

-- Tarballs fetched, by the day (UTC) and by what told it: an import replaces what the same source said of a day.
create table download_counts (
  release_id bigint not null references releases on delete cascade,
  day date not null,
  source text not null,
  downloads bigint not null check (downloads > 0),
  primary key (release_id, day, source)
);
create index download_counts_source on download_counts (source, day);

-- Sums of them, made anew by each import. Null: no row in that time.
create table package_downloads (
  package_id bigint primary key references packages on delete cascade,
  total bigint not null,
  recent bigint,
  week bigint,
  day bigint
);

create index audit_logs_package on audit_logs ((params->'package'->>'id'), id);

create table short_urls (
  code text primary key,
  url text not null,
  inserted_at timestamptz not null default now()
);
create index short_urls_url on short_urls (md5(url));

create table advisories (
  id text primary key,
  summary text not null,
  aliases text[] not null,
  published_at timestamptz not null,
  modified_at timestamptz not null,
  withdrawn_at timestamptz,
  cvss_vector text,
  cvss_score double precision,
  cvss_rating text check (cvss_rating in ('none', 'low', 'medium', 'high', 'critical')),
  reference_urls jsonb not null         -- a list of type and url
);

-- No foreign key to packages: a package may be published after the advisory.
create table advisory_packages (
  repository_id bigint not null references repositories,
  package text not null,
  advisory_id text not null references advisories on delete cascade,
  ranges jsonb not null,                -- a list of lists of events, as OSV has them
  versions text[] not null,
  primary key (repository_id, package, advisory_id)
);
create index advisory_packages_advisory on advisory_packages (advisory_id);

grant select, insert, update, delete on
  download_counts, package_downloads, advisories, advisory_packages
  to skep_api;
grant select, insert on short_urls to skep_api;
grant select on advisories, advisory_packages to skep_generator;
