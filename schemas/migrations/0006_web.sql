-- Browsers that are signed in. A cookie holds the secret; here is its hash alone.
create table web_sessions (
  id bigint generated always as identity primary key,
  secret_hash text not null unique,      -- SHA-256
  user_id bigint not null references users on delete cascade,
  -- The password was right, the second factor is still to come: opens nothing but that step.
  pending boolean not null default false,
  sudo_until timestamptz,
  -- A code for a device that was typed in, until the device is let in or turned away.
  device_user_code text,
  device_until timestamptz,
  user_agent text,
  ip text,
  last_used_at timestamptz not null,
  expires_at timestamptz not null,
  inserted_at timestamptz not null default now()
);
create index web_sessions_user on web_sessions (user_id);
create index web_sessions_end on web_sessions (expires_at);

grant select, insert, update, delete on web_sessions to skep_api;
-- The start page shows the public key. What it says is public; the API still cannot alter it.
grant select on signing_keys to skep_api;
