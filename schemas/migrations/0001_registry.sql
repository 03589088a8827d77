-- What the registry's files are made of, and who may change it.

create table users (
  id bigint generated always as identity primary key,
  username text not null unique check (username = lower(username)),
  full_name text,
  password_hash text,
  handles jsonb not null default '{}',
  service boolean not null default false,
  deactivated_at timestamptz,
  inserted_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table emails (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  email text not null check (email = lower(email)),
  verified boolean not null default false,
  is_primary boolean not null default false,
  is_public boolean not null default false,
  verification_key text,
  verification_expires_at timestamptz,
  inserted_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (user_id, email)
);
create unique index emails_verified on emails (email) where verified;
create unique index emails_primary on emails (user_id) where is_primary;

create table keys (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  name text not null,
  secret_first text not null unique,  -- looked up
  secret_second text not null,        -- compared in constant time
  permissions jsonb not null,
  revoke_at timestamptz,
  last_used_at timestamptz,
  last_used_ip text,
  last_used_agent text,
  inserted_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index keys_user on keys (user_id, name);

create table repositories (
  id bigint generated always as identity primary key,
  name text not null unique,
  public boolean not null,
  -- Raised by every change, in the transaction of the change; goes into every payload (docs/design.md).
  revision bigint not null default 0,
  inserted_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table packages (
  id bigint generated always as identity primary key,
  repository_id bigint not null references repositories,
  name text not null,
  meta jsonb not null,
  docs_updated_at timestamptz,
  inserted_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (repository_id, name)
);

-- Outlives the package, so that a name that is removed and published again goes on counting.
create table package_revisions (
  repository_id bigint not null references repositories,
  name text not null,
  revision bigint not null,
  primary key (repository_id, name)
);

create table releases (
  id bigint generated always as identity primary key,
  package_id bigint not null references packages on delete cascade,
  version text not null,
  inner_checksum bytea not null check (length(inner_checksum) = 32),
  outer_checksum bytea not null check (length(outer_checksum) = 32),
  blob_key text not null,               -- the tarball's bytes in the private store
  docs_blob_key text,                   -- the documentation's, when there is some
  docs_checksum bytea check (length(docs_checksum) = 32),
  meta jsonb not null,                  -- app, build_tools, elixir
  retirement_reason text check (retirement_reason in ('other', 'invalid', 'security', 'deprecated', 'renamed')),
  retirement_message text,
  publisher_id bigint references users on delete set null,
  inserted_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (package_id, version),
  check ((docs_blob_key is null) = (docs_checksum is null)),
  check (retirement_reason is not null or retirement_message is null)
);

create table requirements (
  release_id bigint not null references releases on delete cascade,
  repository text not null,             -- our own name, or that of an external repository
  package text not null,
  app text not null,
  requirement text not null,
  optional boolean not null default false,
  primary key (release_id, package)
);
create index requirements_target on requirements (package, repository);

create table package_owners (
  package_id bigint not null references packages on delete cascade,
  user_id bigint not null references users on delete cascade,
  level text not null check (level in ('maintainer', 'full')),
  inserted_at timestamptz not null default now(),
  primary key (package_id, user_id)
);
create index package_owners_user on package_owners (user_id);

create table reserved_packages (
  id bigint generated always as identity primary key,
  repository text not null,
  name text not null,
  version text,
  reason text
);
create unique index reserved_packages_key on reserved_packages (repository, name, coalesce(version, ''));

create table audit_logs (
  id bigint generated always as identity primary key,
  action text not null,
  params jsonb not null,
  user_id bigint references users on delete set null,
  key_id bigint references keys on delete set null,
  user_agent text,
  remote_ip text,
  inserted_at timestamptz not null default now()
);
create index audit_logs_user on audit_logs (user_id, id);
