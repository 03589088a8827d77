-- API and generator each have a role. Whoever takes over the API can ask for a publish, but cannot rewrite
-- what is recorded as written. Roles belong to the whole server, so another database may have made them.
do $$
declare
  wanted text;
begin
  foreach wanted in array array['skep_api', 'skep_generator'] loop
    begin
      execute format('create role %I nologin', wanted);
    exception
      when duplicate_object or unique_violation then null;
      when insufficient_privilege then
        raise exception 'role % is missing and this login may not create roles', wanted
          using hint = format('Let an administrator run: create role %I nologin', wanted);
    end;
  end loop;
end $$;

do $$
begin
  execute format('grant usage on schema %I to skep_api, skep_generator', current_schema());
end $$;

grant select, insert, update, delete on
  users, emails, keys, packages, package_revisions, releases, requirements, package_owners, reserved_packages
  to skep_api;
grant select, insert on audit_logs to skep_api;
grant select, insert on repositories to skep_api;
grant update (revision, updated_at) on repositories to skep_api;
grant select, insert on changes to skep_api;
grant select on schema_migrations to skep_api, skep_generator;

grant select on
  repositories, packages, package_revisions, releases, requirements
  to skep_generator;
grant select, insert, update, delete on
  changes, leases, objects, intents, purges, deletions, holds, signing_keys
  to skep_generator;
