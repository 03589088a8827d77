/** Rows with what cannot be published taken out. */
import type { PackageName } from "../../hex/ids.ts";
import type { Hold } from "../../store/queries/books.ts";
import type { IndexRow, PackageRow } from "../../store/queries/registry.ts";
import { compareText } from "./order.ts";

function holdKey(name: string, version: string): string {
  return `${name} ${version}`;
}

/** @returns a test of whether a release is held back; one that has only lost its docs is not. */
export function heldBy(holds: readonly Hold[]): (name: string, version: string) => boolean {
  const tarballs = holds.filter((hold) => hold.object === "tarball");
  const keys = new Set(tarballs.map((hold) => holdKey(hold.package, hold.version)));
  return keys.size === 0 ? () => false : (name, version) => keys.has(holdKey(name, version));
}

/** @returns what is held back, to be compared: by package the versions whose tarballs are lost. */
export function heldVersions(holds: readonly Hold[]): ReadonlyMap<PackageName, string> {
  const held = new Map<PackageName, string>();
  const tarballs = holds.filter((hold) => hold.object === "tarball");
  for (const { package: name, version } of tarballs.sort((a, b) => compareText(a.version, b.version))) {
    held.set(name, `${held.get(name) ?? ""} ${version}`);
  }
  return held;
}

export function withoutHeldReleases(
  rows: readonly PackageRow[],
  holds: readonly Hold[],
): readonly PackageRow[] {
  const held = heldBy(holds);
  return rows.map((row) => ({
    ...row,
    releases: row.releases.filter((release) => !held(row.name, release.version)),
  }));
}

/** A package whose every release is held is in no index. */
export function withoutHeldVersions(rows: readonly IndexRow[], holds: readonly Hold[]): readonly IndexRow[] {
  if (holds.length === 0) return rows;
  const held = heldBy(holds);
  return rows
    .map((row) => {
      const kept = row.versions.map((version) => !held(row.name, version));
      return {
        ...row,
        versions: row.versions.filter((_, index) => kept[index]),
        retired: row.retired.filter((_, index) => kept[index]),
      };
    })
    .filter((row) => row.versions.length > 0);
}
