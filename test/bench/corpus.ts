/** Deterministic rows shaped like a real registry: a long tail of versions, up to ten dependencies. */
import { createHash } from "node:crypto";
import { repositoryName, sha256, trusted } from "../../hex/ids.ts";
import { isoMicros, micros } from "../../schemas/time.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import type { IndexRow, PackageRow, ReleaseRow, RepositoryRow } from "../../store/queries/registry.ts";
import { name, v } from "../support/rows.ts";

export const REPOSITORY: RepositoryRow = {
  id: 1,
  name: trusted(repositoryName, "bench"),
  public: true,
  revision: 1,
};

/** A generator of numbers in [0, 1) that gives the same ones each time (mulberry32). */
export function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const hash = (text: string | Buffer) => trusted(sha256, createHash("sha256").update(text).digest("hex"));
const START = 1_500_000_000_000_000;

/** @returns what stands for the tarball: its digest is the release's checksum, as rows are written. */
export function blobOf(packageText: string, versionText: string): Buffer {
  return Buffer.from(`${packageText} ${versionText}`);
}

/** @returns `packages` packages with `releases` releases in all. */
export function corpus(packages: number, releases: number): readonly PackageRow[] {
  const random = numbers(1);
  // Pareto-like: most packages have a few versions, some have hundreds.
  const weights = Array.from({ length: packages }, () => Math.min(300, (1 - random()) ** -0.8));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight, index) => {
    const count = Math.max(1, Math.round((weight / sum) * releases));
    const text = `package_${index.toString(36).padStart(4, "0")}`;
    return {
      name: name(text),
      revision: count,
      releases: Array.from({ length: count }, (_, number) => release(text, number, packages, random)),
    };
  });
}

function release(text: string, number: number, packages: number, random: () => number): ReleaseRow {
  const version = v(`${Math.floor(number / 20)}.${Math.floor(number / 5) % 4}.${number % 5}`);
  const targets = new Set(
    Array.from({ length: Math.floor(random() ** 2 * 10) }, () => Math.floor(random() * packages)),
  );
  return {
    version,
    innerChecksum: hash(blobOf(text, version)),
    outerChecksum: hash(`${text} ${number} outer`),
    blobKey: `blobs/${hash(blobOf(text, version))}`,
    docs: null,
    retirement: random() < 0.02 ? { reason: "deprecated", message: "use another one" } : null,
    insertedAt: micros(START + Math.floor(random() * 1e14)),
    requirements: [...targets].map((target) => {
      const dependency = name(`package_${target.toString(36).padStart(4, "0")}`);
      return {
        repository: REPOSITORY.name,
        package: dependency,
        app: dependency,
        requirement: "~> 1.0",
        optional: random() < 0.1,
      };
    }),
  };
}

export function indexOf(rows: readonly PackageRow[]): readonly IndexRow[] {
  return rows.map((row) => ({
    name: row.name,
    updatedAt: micros(START),
    versions: row.releases.map((each) => each.version),
    retired: row.releases.map((each) => each.retirement !== null),
  }));
}

/** Packages of one statement. */
const CHUNK = 500;

/** Writes the rows into a repository of a database, with owners, downloads, descriptions and some advisories. */
export async function insertCorpus(
  sql: Sql,
  repositoryId: number,
  rows: readonly PackageRow[],
): Promise<void> {
  await sql`
    insert into users (username) select 'user_' || n from generate_series(1, 2000) n`;
  for (let start = 0; start < rows.length; start += CHUNK) {
    await insertPackages(sql, repositoryId, rows.slice(start, start + CHUNK));
  }
  await sql`
    insert into package_owners (package_id, user_id, level)
    select p.id, u.id, 'full' from packages p join users u
      on u.username in ('user_' || 1 + p.id % 2000, 'user_' || 1 + p.id * 7 % 2000)`;
  await sql`
    insert into package_downloads (package_id, total, recent, week, day)
    select id, id * 7919 % 1000003, id * 7919 % 99991, id * 7919 % 9973, id * 7919 % 997 from packages`;
  await sql`
    insert into advisories (id, summary, aliases, published_at, modified_at, reference_urls)
    select 'EEF-' || n, 'Something leaks', '{}', now(), now(), '[]' from generate_series(1, 100) n`;
  await sql`
    insert into advisory_packages (repository_id, package, advisory_id, ranges, versions)
    select repository_id, name, 'EEF-' || 1 + id % 100, '[[{"introduced": "0"}, {"fixed": "1.0.0"}]]', '{}'
    from packages where id % 50 = 0`;
  await sql`vacuum analyze`;
}

/** What packages are about, in their descriptions: each is found in two hundred of 20,000. */
export const TOPICS = Array.from({ length: 200 }, (_, index) => `topic${index}`);

async function insertPackages(sql: Sql, repositoryId: number, rows: readonly PackageRow[]): Promise<void> {
  const topics = (turn: number) =>
    rows.map(
      (row) =>
        TOPICS[(Number.parseInt(row.name.slice(-4), 36) * (turn === 0 ? 7 : 11)) % TOPICS.length] ?? "",
    );
  const releases = rows.flatMap((row) => row.releases.map((each) => ({ ...each, package: row.name })));
  const requirements = releases.flatMap((each) =>
    each.requirements.map((requirement) => ({ ...requirement, of: each.package, version: each.version })),
  );
  await sql`
    insert into packages (repository_id, name, meta)
    select ${repositoryId}, name, jsonb_build_object(
      'description', 'A library for ' || first || ' and ' || second || ', small and without dependencies',
      'licenses', array['MIT'], 'links', jsonb_build_object('GitHub', 'https://example.com/' || name))
    from unnest(${rows.map((row) => row.name) as string[]}::text[], ${topics(0)}::text[], ${topics(1)}::text[])
      as row (name, first, second)`;
  const text = (values: readonly (string | null)[]) => values as string[];
  await sql`
    insert into releases (package_id, version, inner_checksum, outer_checksum, blob_key, meta, inserted_at,
      retirement_reason, retirement_message)
    select p.id, r.version, decode(r.checksum, 'hex'), decode(r.checksum, 'hex'), 'blobs/' || r.checksum,
      jsonb_build_object('app', p.name, 'build_tools', array['mix']), r.at::timestamptz, r.reason, r.message
    from unnest(${text(releases.map((each) => each.package))}::text[], ${text(releases.map((each) => each.version))}::text[],
      ${text(releases.map((each) => each.innerChecksum))}::text[],
      ${releases.map((each) => isoMicros(each.insertedAt))}::text[],
      ${text(releases.map((each) => each.retirement?.reason ?? null))}::text[],
      ${text(releases.map((each) => each.retirement?.message ?? null))}::text[])
      as r (package, version, checksum, at, reason, message)
    join packages p on p.repository_id = ${repositoryId} and p.name = r.package`;
  await sql`
    insert into requirements (release_id, repository, package, app, requirement, optional)
    select r.id, q.repository, q.package, q.package, q.requirement, false
    from unnest(${text(requirements.map((each) => each.of))}::text[], ${text(requirements.map((each) => each.version))}::text[],
      ${text(requirements.map((each) => each.repository))}::text[], ${text(requirements.map((each) => each.package))}::text[],
      ${requirements.map((each) => each.requirement)}::text[]) as q (of, version, repository, package, requirement)
    join packages p on p.repository_id = ${repositoryId} and p.name = q.of
    join releases r on r.package_id = p.id and r.version = q.version`;
}
