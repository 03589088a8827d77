/**
 * Change rows: how the API asks the generator for a build. A row is a key and not a change: whoever
 * handles it reads the database again, so ten publishes of one package are one build.
 */
import type { PackageName, RepositoryName } from "../../hex/ids.ts";
import type { Micros } from "../../schemas/time.ts";
import type { Queryable, Transaction } from "../postgres/pool.ts";

/** Told of a repository's name when it has a new change. */
export const CHANGE_CHANNEL = "skep_changes";
/** Told of change ids, separated by commas, when installs see them. */
export const VISIBLE_CHANNEL = "skep_visible";

/**
 * Raises both revisions and asks for a build, in the transaction that makes the change. Call it last: the
 * repository's row is locked from here to the commit, and every publish of the repository passes here.
 * @param change.package undefined when only the repository's own files change
 * @returns the change's id, to wait for.
 */
export async function recordChange(
  tx: Transaction,
  change: {
    readonly repositoryId: number;
    readonly package: PackageName | undefined;
    readonly requestId?: string | undefined;
  },
): Promise<number> {
  const { repositoryId, package: name = null, requestId = null } = change;
  // Each part reads from the one before it, so that the repository's row is locked after the package's.
  const [row] = await tx<{ id: number }[]>`
    with package as (
      insert into package_revisions (repository_id, name, revision)
      select ${repositoryId}::bigint, ${name}::text, 1 where ${name}::text is not null
      on conflict (repository_id, name) do update set revision = package_revisions.revision + 1
      returning repository_id as id
    ), raised as (
      select id from package union all select ${repositoryId}::bigint where ${name}::text is null
    ), repository as (
      update repositories r set revision = r.revision + 1, updated_at = now()
      from raised where r.id = raised.id returning r.name, r.revision
    ), change as (
      insert into changes (repository, package, request_id, revision)
      select name, ${name}, ${requestId}, revision from repository
      returning id, repository
    )
    select change.id, pg_notify(${CHANGE_CHANNEL}, change.repository) from change`;
  if (row === undefined) throw new TypeError(`no repository ${repositoryId}`);
  return row.id;
}

/**
 * The same for many packages at once. All their revisions are raised before the repository's row is locked, as
 * {@link recordChange} does for one: in another order two of them could wait for each other.
 */
export async function recordChanges(
  tx: Transaction,
  repositoryId: number,
  packages: readonly PackageName[],
): Promise<void> {
  if (packages.length === 0) return;
  const names = [...packages].sort() as string[];
  await tx`
    insert into package_revisions (repository_id, name, revision)
    select ${repositoryId}, name, 1 from unnest(${names}::text[]) with ordinality as list (name, position)
    order by position
    on conflict (repository_id, name) do update set revision = package_revisions.revision + 1`;
  await tx`
    with repository as (
      update repositories set revision = revision + 1, updated_at = now() where id = ${repositoryId}
      returning name, revision
    ), change as (
      insert into changes (repository, package, revision)
      select repository.name, list.name, repository.revision from repository, unnest(${names}::text[]) as list (name)
    )
    select pg_notify(${CHANGE_CHANNEL}, name) from repository`;
}

/** Lets no other transaction record a change of the repository before this one ends. */
export async function holdPublishes(tx: Transaction, repositoryId: number): Promise<void> {
  // No stronger: every new package refers to the row, and that must not wait for us.
  await tx`select from repositories where id = ${repositoryId} for no key update`;
}

/** A change that waits for a build. */
export interface PendingChange {
  readonly id: number;
  readonly package: PackageName | null;
  readonly look: boolean;
  /** How often it was put off. */
  readonly attempts: number;
  readonly requestId: string | null;
  readonly insertedAt: Micros;
}

/** @returns the repositories that have something to build now, by name. */
export async function repositoriesWithChanges(sql: Queryable): Promise<readonly RepositoryName[]> {
  const rows = await sql<{ repository: RepositoryName }[]>`
    select distinct repository from changes where finished_at is null and not_before <= now()`;
  return rows.map((row) => row.repository);
}

/** @returns the repository's changes that are due, oldest first, at most `limit`. */
export async function pendingChanges(
  sql: Queryable,
  repository: RepositoryName,
  limit: number,
): Promise<readonly PendingChange[]> {
  return sql<PendingChange[]>`
    select id, package, look, attempts, request_id as "requestId", inserted_at as "insertedAt" from changes
    where repository = ${repository} and finished_at is null and not_before <= now()
    order by id limit ${limit}`;
}

/** A change that installs see from now on. */
export interface ShownChange {
  readonly id: number;
  /** Of the request that made it; null for what no request did. */
  readonly requestId: string | null;
  /** It asked for a look, and nothing was published. */
  readonly look: boolean;
  /** By the database's clock, from the transaction that made it. */
  readonly seconds: number;
}

/**
 * Finishes exactly these rows, which a build has taken in.
 * @param purgeId the purge that makes them visible; undefined when nothing needs one, and they are
 * @returns what is visible by that.
 */
export async function finishChanges(
  tx: Transaction,
  ids: readonly number[],
  purgeId: number | undefined,
): Promise<readonly ShownChange[]> {
  const rows = await tx<ShownChange[]>`
    update changes set finished_at = now(), purge_id = ${purgeId ?? null},
      visible_at = ${purgeId === undefined ? tx`now()` : null}
    where id = any(${ids as number[]}::bigint[])
    ${purgeId === undefined ? tx`returning ${shownColumns(tx)}` : tx``}`;
  if (purgeId === undefined) await notifyVisible(tx, ids);
  return rows;
}

/**
 * Marks the changes of a purge that was accepted and read back fresh, and wakes who waits for them.
 * @returns those that were not visible before.
 */
export async function showChanges(tx: Transaction, purgeId: number): Promise<readonly ShownChange[]> {
  const rows = await tx<ShownChange[]>`
    update changes set visible_at = now() where purge_id = ${purgeId} and visible_at is null
    returning ${shownColumns(tx)}`;
  await notifyVisible(
    tx,
    rows.map((row) => row.id),
  );
  return rows;
}

/** @returns what waits for the purge. */
export function changesOfPurge(
  sql: Queryable,
  purgeId: number,
): Promise<readonly Pick<ShownChange, "requestId">[]> {
  return sql<Pick<ShownChange, "requestId">[]>`
    select request_id as "requestId" from changes where purge_id = ${purgeId} and visible_at is null order by id`;
}

function shownColumns(tx: Transaction) {
  return tx`id, request_id as "requestId", look,
    extract(epoch from clock_timestamp() - inserted_at)::float8 as seconds`;
}

// A NOTIFY payload is limited to 8,000 bytes; 300 ids fit however long they grow.
async function notifyVisible(tx: Transaction, ids: readonly number[]): Promise<void> {
  for (let start = 0; start < ids.length; start += 300) {
    await tx`select pg_notify(${VISIBLE_CHANNEL}, ${ids.slice(start, start + 300).join(",")})`;
  }
}

/** Puts changes off after a failure, so that one that fails always does not hold the others up. */
export async function deferChanges(sql: Queryable, ids: readonly number[], seconds: number): Promise<void> {
  await sql`
    update changes set attempts = attempts + 1, not_before = now() + ${seconds} * interval '1 second'
    where id = any(${ids as number[]}::bigint[]) and finished_at is null`;
}

/** Sees to it that something of each of these packages is put off, and with it tried again. */
export async function ensureRetry(
  tx: Transaction,
  repository: RepositoryName,
  packages: readonly PackageName[],
  seconds: number,
): Promise<void> {
  if (packages.length === 0) return;
  await tx`
    insert into changes (repository, package, look, attempts, not_before)
    select ${repository}, name, true, 1, now() + ${seconds} * interval '1 second'
    from unnest(${packages as PackageName[]}::text[]) as name
    where not exists (
      select from changes
      where repository = ${repository} and package = name and finished_at is null and attempts > 0
    )`;
}

/**
 * Asks for builds without raising a revision: nothing in the database has changed, but the objects are
 * to be looked at.
 */
export async function requestLooks(
  sql: Queryable,
  repository: RepositoryName,
  packages: readonly (PackageName | null)[],
): Promise<readonly number[]> {
  const rows = await sql<{ id: number }[]>`
    insert into changes (repository, package, look)
    select ${repository}, package, true from unnest(${packages as (string | null)[]}::text[]) as package
    returning id`;
  await sql`select pg_notify(${CHANGE_CHANNEL}, ${repository})`;
  return rows.map((row) => row.id);
}

/** @returns which of the changes installs can see by now; a row that was cleaned up counts as seen. */
export async function visibleChanges(sql: Queryable, ids: readonly number[]): Promise<ReadonlySet<number>> {
  const hidden = await sql<{ id: number }[]>`
    select id from changes where id = any(${ids as number[]}::bigint[]) and visible_at is null`;
  const waiting = new Set(hidden.map((row) => row.id));
  return new Set(ids.filter((id) => !waiting.has(id)));
}

/** One revision of a repository, and which packages it was about. */
export interface Revision {
  readonly revision: number;
  /** Of its change: another one in a database that was restored and went on from there. */
  readonly mark: string;
  readonly packages: readonly PackageName[];
}

/**
 * Each revision of the repository from one on, that one included, in ascending order. All those up to the repository's
 * own are there unless they were forgotten, as each is raised under the lock of the repository's row.
 */
export function revisionsFrom(
  sql: Queryable,
  repository: RepositoryName,
  from: number,
): Promise<readonly Revision[]> {
  return sql<Revision[]>`
    select revision, min(id) || ' ' || extract(epoch from min(inserted_at)) as mark,
      coalesce(array_agg(package) filter (where package is not null and revision > ${from}), '{}') as packages
    from changes where repository = ${repository} and revision >= ${from}
    group by revision order by revision`;
}

/**
 * Removes rows that nobody can be waiting for any more. Those of one revision go together, so that {@link revisionsFrom}
 * never tells of a part of it; those of a repository's last revision stay, as what a generator holds in memory is told
 * by them from what another history would have left there, and so does the last that became visible, which tells when.
 */
export async function forgetVisibleChanges(sql: Queryable): Promise<void> {
  await sql`
    with last as (
      select distinct on (repository) id, repository, revision from changes where visible_at is not null
      order by repository, visible_at desc, id desc
    )
    delete from changes c where visible_at < now() - interval '1 hour'
      and not exists (select from last l where l.id = c.id or (l.repository, l.revision) = (c.repository, c.revision))
      and not exists (select from repositories r where r.name = c.repository and r.revision = c.revision)
      and not exists (
        select from changes o where o.repository = c.repository and o.revision = c.revision
          and (o.visible_at is null or o.visible_at >= now() - interval '1 hour'))`;
}
