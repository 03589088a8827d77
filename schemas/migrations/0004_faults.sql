-- What the generator and the API have to remember of bytes that are lost, dropped or gone.

-- Docs can be lost like tarballs; no file names them, but they are to be tried again.
alter table holds add column object text not null default 'tarball' check (object in ('tarball', 'docs'));
alter table holds drop constraint holds_pkey;
alter table holds add primary key (repository_id, package, version, object);

-- When the private store's bytes lost the row that referred to them: they are kept a day longer, as a generator
-- may still be about to read them. A trigger, so that no way to remove a release forgets it.
create table dropped_blobs (
  key text primary key,
  dropped_at timestamptz not null default now()
);

create function remember_dropped_blobs() returns trigger language plpgsql as $$
begin
  insert into dropped_blobs (key)
  select key from unnest(array[old.blob_key, old.docs_blob_key]) as key
  where key is not null
    and (tg_op = 'DELETE' or key not in (new.blob_key, coalesce(new.docs_blob_key, '')))
  on conflict (key) do update set dropped_at = excluded.dropped_at;
  return null;
end $$;

create trigger releases_dropped_blobs after delete or update of blob_key, docs_blob_key on releases
  for each row execute function remember_dropped_blobs();

-- What a version number stood for before it was reverted. Where replacing is not allowed, the number may come back
-- with the same bytes only: else a client could hold a file that names the old ones.
create table reverted_releases (
  repository_id bigint not null references repositories,
  package text not null,
  version text not null,
  outer_checksum bytea not null check (length(outer_checksum) = 32),
  reverted_at timestamptz not null default now(),
  primary key (repository_id, package, version, outer_checksum)
);

create function remember_reverted_release() returns trigger language plpgsql as $$
begin
  insert into reverted_releases (repository_id, package, version, outer_checksum)
  select p.repository_id, p.name, old.version, old.outer_checksum from packages p where p.id = old.package_id
  on conflict (repository_id, package, version, outer_checksum) do update set reverted_at = excluded.reverted_at;
  return old;
end $$;

-- Before the row goes, as with a package's last release the package goes too.
create trigger releases_reverted before delete on releases
  for each row execute function remember_reverted_release();

grant select, insert, update, delete on dropped_blobs, reverted_releases to skep_api;
