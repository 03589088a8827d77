-- A publish adds one release. One trigger for all kinds of change had its query planned anew each time, which took
-- four times as long as the insert itself. What is added can only be the latest and add tools, so that of many rows at
-- once only the first of a package finds something to change.
create function add_to_release_summaries() returns trigger language plpgsql as $$
declare
  latest bigint;
  tools constant text[] := array(select build_tools_of(new.meta));
begin
  select r.id into latest from releases r
    where r.package_id = new.package_id order by r.latest_rank desc, r.id desc limit 1;
  update packages set latest_release_id = latest,
      build_tools = array(select distinct tool from unnest(build_tools || tools) as tool order by tool)
    where id = new.package_id and (latest_release_id is distinct from latest or not build_tools @> tools);
  return null;
end $$;

drop trigger releases_summary_insert on releases;
create trigger releases_summary_insert after insert on releases
  for each row execute function add_to_release_summaries();

-- What is replaced or goes may take tools with it.
create or replace function refresh_release_summaries() returns trigger language plpgsql as $$
begin
  with ids as (
    select distinct package_id from changed
  ), tools as (
    select package_id, array_agg(distinct tool order by tool) as list from releases, build_tools_of(meta) as tool
      where package_id in (select package_id from ids) group by package_id
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
