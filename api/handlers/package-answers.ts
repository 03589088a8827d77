/** Packages alone, as they are sent. They are kept, as most requests ask for a package that has not changed. */
import { packageAdvisories } from "../../store/queries/advisories.ts";
import type { FullPackageRow } from "../../store/queries/full-package.ts";
import { releaseSummaries } from "../../store/queries/packages.ts";
import { packageAlone } from "../../views/package.ts";
import { urlsOf } from "../../views/urls.ts";
import type { RepositoryRow } from "../call.ts";
import { type Format, Rendered } from "../http/format.ts";
import { Kept } from "../kept.ts";
import type { ApiDependencies } from "../settings.ts";

export class PackageAnswers {
  readonly #deps: Pick<ApiDependencies, "sql" | "settings">;
  readonly #kept = new Kept<Rendered>(({ body, etag }) => body.length + etag.length);

  constructor(deps: Pick<ApiDependencies, "sql" | "settings">) {
    this.#deps = deps;
  }

  async rendered(repository: RepositoryRow, row: FullPackageRow, format: Format): Promise<Rendered> {
    const key = `${row.id} ${format}`;
    const stamp = stampOf(repository, row);
    const kept = this.#kept.get(key, stamp);
    if (kept !== undefined) return kept;
    const made = new Rendered(format, await this.#view(repository, row));
    this.#kept.keep(key, stamp, made);
    return made;
  }

  async #view(repository: RepositoryRow, row: FullPackageRow): Promise<object> {
    const { sql, settings } = this.#deps;
    const [releases, advisories] = await Promise.all([
      releaseSummaries(sql, [row.id]),
      row.advisoriesHash === null ? [] : packageAdvisories(sql, repository.id, [row.name]),
    ]);
    const urls = urlsOf(settings, repository.name);
    return packageAlone(
      repository.name,
      row,
      releases,
      row.owners,
      advisories,
      row.downloads ?? undefined,
      urls,
    );
  }
}

/**
 * All that an answer is made of, but for the installation's addresses: the row is in it as a whole. For the releases the
 * revision stands, and for an older backup of the database, in which revisions come again, the time of the last change.
 */
function stampOf(repository: RepositoryRow, row: FullPackageRow): string {
  return JSON.stringify([repository.name, row]);
}
