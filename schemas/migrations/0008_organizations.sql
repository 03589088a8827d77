-- Organizations: their members, their account, their keys and their private repository.

create table organizations (
  id bigint generated always as identity primary key,
  name text not null unique check (name = lower(name)),
  -- Whoever runs a registry without billing leaves it as it is.
  billing_active boolean not null default true,
  seats integer check (seats >= 0),     -- null: as many members as they like
  inserted_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table memberships (
  organization_id bigint not null references organizations on delete cascade,
  user_id bigint not null references users on delete cascade,
  role text not null check (role in ('read', 'write', 'admin')),
  inserted_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, user_id)
);
create index memberships_user on memberships (user_id);

-- The account under which an organization owns and publishes packages. Nobody can sign in with it.
alter table users add column organization_id bigint unique references organizations on delete restrict;

alter table repositories add column organization_id bigint unique references organizations on delete restrict;
alter table repositories add constraint repositories_public_belongs_to_nobody
  check (not public or organization_id is null);

alter table keys alter column user_id drop not null;
alter table keys add column organization_id bigint references organizations on delete cascade;
alter table keys add constraint keys_one_owner check (num_nonnulls(user_id, organization_id) = 1);
create index keys_organization on keys (organization_id, name) where organization_id is not null;

-- Set where an organization has acted, and where its members, seats or billing were changed.
alter table audit_logs add column organization_id bigint references organizations on delete set null;
create index audit_logs_organization on audit_logs (organization_id, id) where organization_id is not null;

grant select, insert, update, delete on organizations, memberships to skep_api;
