-- A second factor: codes of an authenticator app, and codes for the day on which it is lost.

create table totp_secrets (
  user_id bigint primary key references users on delete cascade,
  -- Encrypted under the API's secret, bound to the user: a copy of the database makes no codes.
  sealed_secret text not null,
  enabled_at timestamptz not null default now()
);

create table recovery_codes (
  id bigint generated always as identity primary key,
  user_id bigint not null references users on delete cascade,
  code_hash text not null,
  used_at timestamptz,
  unique (user_id, code_hash)
);

-- A secret that was shown, and is not confirmed by a code yet.
alter table web_sessions add column totp_draft text;

grant select, insert, update, delete on totp_secrets, recovery_codes to skep_api;
