/** Brings what is known of advisories in line with a feed, and has the packages built anew that it changes. */
import type { Advisory } from "../../hex/advisories/osv.ts";
import type { Affected } from "../../hex/advisories/ranges.ts";
import type { PackageName } from "../../hex/ids.ts";
import { parseTimestamp } from "../../schemas/time.ts";
import type { Sql, Transaction } from "../../store/postgres/pool.ts";
import {
  type AdvisoryRow,
  deleteAdvisories,
  importedAdvisories,
  lockAdvisories,
  writeAdvisory,
} from "../../store/queries/advisories.ts";
import { holdPublishes, recordChanges } from "../../store/queries/changes.ts";
import { existingPackages } from "../../store/queries/packages.ts";

export interface ImportReport {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
  /** Of what was given. */
  readonly unchanged: number;
  /** Packages that are built anew. */
  readonly packages: readonly PackageName[];
}

export interface ImportOptions {
  readonly repositoryId: number;
  /** Also removes what is not given. */
  readonly prune: boolean;
}

export interface Known {
  readonly row: AdvisoryRow;
  readonly affected: ReadonlyMap<PackageName, Affected>;
}

/** Advisories and changes in one transaction: what is imported is built, whatever happens in between. */
export async function importAdvisories(
  sql: Sql,
  advisories: readonly Advisory[],
  options: ImportOptions,
): Promise<ImportReport> {
  for (;;) {
    const report = await attempt(sql, advisories, options);
    if (report !== undefined) return report;
  }
}

/** @returns undefined when a package was published meanwhile that has to be built anew too. */
async function attempt(
  sql: Sql,
  advisories: readonly Advisory[],
  { repositoryId, prune }: ImportOptions,
): Promise<ImportReport | undefined> {
  try {
    return (await sql.begin(async (tx) => {
      await lockAdvisories(tx);
      const before = await importedAdvisories(tx, repositoryId);
      const counts = { added: 0, changed: 0, removed: 0, unchanged: 0 };
      const touched = new Set<PackageName>();
      for (const advisory of advisories) {
        const [old, now] = [before.get(advisory.id), knownOf(advisory)];
        if (old !== undefined && fingerprint(old) === fingerprint(now)) {
          counts.unchanged += 1;
          continue;
        }
        counts[old === undefined ? "added" : "changed"] += 1;
        await writeAdvisory(tx, repositoryId, now.row, now.affected);
        for (const name of [...shownAt(old), ...shownAt(now)]) touched.add(name);
      }
      if (prune) {
        const given = new Set(advisories.map(({ id }) => id));
        const gone = [...before.values()].filter(({ row }) => !given.has(row.id));
        counts.removed = gone.length;
        await deleteAdvisories(
          tx,
          gone.map(({ row }) => row.id),
        );
        for (const name of gone.flatMap(shownAt)) touched.add(name);
      }
      return { ...counts, packages: await buildAnew(tx, repositoryId, [...touched]) };
    })) as ImportReport;
  } catch (error) {
    if (error instanceof PublishedMeanwhile) return undefined;
    throw error;
  }
}

class PublishedMeanwhile extends Error {}

async function buildAnew(
  tx: Transaction,
  repositoryId: number,
  names: readonly PackageName[],
): Promise<readonly PackageName[]> {
  const there = await existingPackages(tx, repositoryId, names);
  const packages = names.filter((name) => there.has(name)).sort();
  await recordChanges(tx, repositoryId, packages);
  // From here on every publish waits for us, and its build sees what we wrote. One that was committed in between has
  // perhaps been built without it.
  await holdPublishes(tx, repositoryId);
  const now = await existingPackages(tx, repositoryId, names);
  if (names.some((name) => now.has(name) && !there.has(name))) throw new PublishedMeanwhile();
  return packages;
}

/** What was withdrawn is shown nowhere. */
function shownAt(known: Known | undefined): readonly PackageName[] {
  return known === undefined || known.row.withdrawnAt !== null ? [] : [...known.affected.keys()];
}

/** @returns an advisory of a feed as the database has it. */
export function knownOf(advisory: Advisory): Known {
  const { id, summary, aliases, publishedAt, modifiedAt, withdrawnAt, cvssVector, cvss, references } =
    advisory;
  return {
    row: {
      id,
      summary,
      aliases,
      publishedAt: parseTimestamp(publishedAt),
      modifiedAt: parseTimestamp(modifiedAt),
      withdrawnAt: withdrawnAt === null ? null : parseTimestamp(withdrawnAt),
      cvssVector,
      cvssScore: cvss?.score ?? null,
      cvssRating: cvss?.rating ?? null,
      references,
    },
    affected: advisory.affected,
  };
}

function fingerprint({ row, affected }: Known): string {
  const packages = [...affected].sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    ...[row.id, row.summary, row.aliases, row.publishedAt, row.modifiedAt, row.withdrawnAt],
    ...[row.cvssVector, row.cvssScore, row.cvssRating],
    row.references.map(({ type, url }) => [type, url]),
    packages.map(([name, { ranges, versions }]) => [name, ranges, versions]),
  ]);
}
