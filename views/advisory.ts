/** Security advisories in answers. */
import { advisoryApiUrl, advisoryPageUrl } from "../hex/advisories/links.ts";
import { affectedRequirements, isAffected } from "../hex/advisories/ranges.ts";
import { isoMicros, type Micros } from "../schemas/time.ts";
import type { PackageAdvisory } from "../store/queries/advisories.ts";

/** Whole seconds in every format. */
function second(at: Micros): string {
  return `${isoMicros(at).slice(0, 19)}Z`;
}

function advisoryView(row: PackageAdvisory): object {
  return {
    id: row.id,
    summary: row.summary,
    aliases: row.aliases,
    published_at: second(row.publishedAt),
    modified_at: second(row.modifiedAt),
    withdrawn_at: row.withdrawnAt === null ? null : second(row.withdrawnAt),
    cvss_vector: row.cvssVector,
    cvss_score: row.cvssScore,
    cvss_rating: row.cvssRating,
    references: row.references.map(({ type, url }) => ({ type, url })),
    affected: affectedRequirements(row.affected),
    api_url: advisoryApiUrl(row.id),
    html_url: advisoryPageUrl(row.id),
  };
}

/** @param version only those that it is in @returns the advisories, the newest first. */
export function advisoriesView(rows: readonly PackageAdvisory[], version?: string): readonly object[] {
  return rows
    .filter(({ affected }) => version === undefined || isAffected(version, affected))
    .sort((a, b) => b.publishedAt - a.publishedAt || (a.id < b.id ? -1 : 1))
    .map(advisoryView);
}
