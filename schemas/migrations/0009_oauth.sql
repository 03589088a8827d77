-- OAuth: clients, what they were let in to, and the tokens and codes of that. Secrets are here as SHA-256 alone: all of
-- them are random and long.

create table oauth_clients (
  client_id uuid primary key,
  name text not null,
  type text not null check (type in ('public', 'confidential')),
  secret_hash text,
  grants text[] not null,
  redirect_uris text[] not null default '{}',
  scopes text[] not null,
  inserted_at timestamptz not null default now(),
  check ((type = 'confidential') = (secret_hash is not null))
);

-- Both are compiled into the clients.
insert into oauth_clients (client_id, name, type, grants, scopes) values
  ('78ea6566-89fd-481e-a1d6-7d9d78eacca8', 'Hex CLI', 'public',
    '{device_code,refresh_token,client_credentials,authorization_code}', '{api,api:read,api:write,repositories}'),
  ('877731e8-cb88-45e1-9b84-9214de7da421', 'Gleam', 'public', '{device_code,refresh_token}', '{api:write}');

create table oauth_sessions (
  id bigint generated always as identity primary key,
  user_id bigint references users on delete cascade,
  organization_id bigint references organizations on delete cascade,
  client_id uuid not null references oauth_clients on delete cascade,
  grant_type text not null,
  name text,
  -- As they were granted. What a token gets of them is worked out anew for each.
  scopes text[] not null,
  ip text,
  user_agent text,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  inserted_at timestamptz not null default now(),
  check (num_nonnulls(user_id, organization_id) = 1)
);
create index oauth_sessions_user on oauth_sessions (user_id) where user_id is not null;
create index oauth_sessions_organization on oauth_sessions (organization_id) where organization_id is not null;
create index oauth_sessions_end on oauth_sessions (expires_at);

-- One row for an access token and the refresh token that came with it.
create table oauth_tokens (
  id bigint generated always as identity primary key,
  session_id bigint not null references oauth_sessions on delete cascade,
  jti text not null unique,
  scopes text[] not null,
  expires_at timestamptz not null,
  refresh_jti text unique,
  refresh_hash text unique,
  revoked_at timestamptz,
  inserted_at timestamptz not null default now(),
  check ((refresh_jti is null) = (refresh_hash is null))
);
create index oauth_tokens_session on oauth_tokens (session_id);

create table oauth_device_codes (
  id bigint generated always as identity primary key,
  device_code_hash text not null unique,
  -- What people type: short, and of use only to who is signed in.
  user_code text not null unique,
  client_id uuid not null references oauth_clients on delete cascade,
  name text,
  scopes text[] not null,
  state text not null default 'pending' check (state in ('pending', 'authorized', 'denied')),
  session_id bigint references oauth_sessions on delete cascade,
  authorized_at timestamptz,
  expires_at timestamptz not null,
  inserted_at timestamptz not null default now(),
  check ((state = 'authorized') = (session_id is not null))
);
create index oauth_device_codes_session on oauth_device_codes (session_id);
create index oauth_device_codes_end on oauth_device_codes (expires_at);

create table oauth_authorization_codes (
  id bigint generated always as identity primary key,
  code_hash text not null unique,
  client_id uuid not null references oauth_clients on delete cascade,
  user_id bigint not null references users on delete cascade,
  redirect_uri text not null,
  scopes text[] not null,
  code_challenge text not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  -- What it was given for, so that it can be taken back should the code come a second time.
  session_id bigint references oauth_sessions on delete set null,
  inserted_at timestamptz not null default now()
);
create index oauth_authorization_codes_session on oauth_authorization_codes (session_id);
create index oauth_authorization_codes_end on oauth_authorization_codes (expires_at);

grant select, insert, delete on oauth_clients to skep_api;
grant select, insert, update, delete
  on oauth_sessions, oauth_tokens, oauth_device_codes, oauth_authorization_codes to skep_api;
