/**
 * Entries of lists of packages. A page of a hundred takes several milliseconds to load and write, and most of them
 * were on another page before: their JSON is kept, under all that it depends on.
 */
import { packagesById, type ReleaseSummary, releaseSummaries } from "../../store/queries/packages.ts";
import type { FoundPackage } from "../../store/queries/search.ts";
import { packageInList } from "../../views/package.ts";
import { urlsOf } from "../../views/urls.ts";
import { render } from "../http/format.ts";
import { Kept } from "../kept.ts";
import type { ApiDependencies } from "../settings.ts";

type Dependencies = Pick<ApiDependencies, "sql" | "settings">;

export class PackageEntries {
  readonly #deps: Dependencies;
  readonly #kept = new Kept<Uint8Array>((json) => json.length);

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** @returns the JSON of the entries, in their order. */
  async json(found: readonly FoundPackage[]): Promise<readonly Uint8Array[]> {
    const known = new Map<number, Uint8Array>();
    for (const row of found) {
      const json = this.#kept.get(String(row.id), stampOf(row));
      if (json !== undefined) known.set(row.id, json);
    }
    const missing = found.filter((row) => !known.has(row.id));
    for (const [row, view] of await this.#load(missing)) {
      const json = render("json", view);
      this.#kept.keep(String(row.id), stampOf(row), json);
      known.set(row.id, json);
    }
    return found.flatMap(({ id }) => known.get(id) ?? []);
  }

  /** @returns the entries as values. */
  async values(found: readonly FoundPackage[]): Promise<readonly object[]> {
    return (await this.#load(found)).map(([, view]) => view);
  }

  async #load(found: readonly FoundPackage[]): Promise<readonly (readonly [FoundPackage, object])[]> {
    if (found.length === 0) return [];
    const { sql, settings } = this.#deps;
    const ids = found.map(({ id }) => id);
    const [packages, summaries] = await Promise.all([packagesById(sql, ids), releaseSummaries(sql, ids)]);
    const releases = new Map<number, ReleaseSummary[]>(ids.map((id) => [id, []]));
    for (const release of summaries) releases.get(release.packageId)?.push(release);
    return found.flatMap((row) => {
      const own = packages.get(row.id);
      // It was removed since it was found.
      if (own === undefined) return [];
      const downloads = row.downloads ?? undefined;
      const urls = urlsOf(settings, row.repository);
      return [
        [row, packageInList(row.repository, own, releases.get(row.id) ?? [], downloads, urls)] as const,
      ];
    });
  }
}

/** Beside it an entry depends on the installation's addresses alone. */
function stampOf({ repository, revision, updatedAt, downloads }: FoundPackage): string {
  const { total, recent, week, day } = downloads ?? {};
  return [repository, revision, updatedAt, total, recent, week, day].join(" ");
}
