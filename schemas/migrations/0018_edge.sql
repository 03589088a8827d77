-- The server of private files looks API keys up under a role of its own: whose key it is, what it opens, and whether
-- the owner belongs to the organization. It sees no address, no password and no second factor, and writes nothing
-- but the last use of a key.
do $$
begin
  create role skep_edge nologin;
exception
  when duplicate_object or unique_violation then null;
  when insufficient_privilege then
    raise exception 'role skep_edge is missing and this login may not create roles'
      using hint = 'Let an administrator run: create role skep_edge nologin';
end $$;

do $$
begin
  execute format('grant usage on schema %I to skep_edge', current_schema());
end $$;

grant select (
  id, user_id, organization_id, permissions, secret_first, secret_second, revoke_at, last_used_at
) on keys to skep_edge;
grant update (last_used_at, last_used_ip, last_used_agent) on keys to skep_edge;
grant select (id, service, deactivated_at, organization_id) on users to skep_edge;
grant select (user_id, is_primary, verified) on emails to skep_edge;
grant select (id, name, public, organization_id) on repositories to skep_edge;
grant select (id, billing_active) on organizations to skep_edge;
grant select (organization_id, user_id) on memberships to skep_edge;
grant select on schema_migrations to skep_edge;
