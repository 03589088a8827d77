/** Deterministic rows shaped like a real registry: a long tail of versions, up to ten dependencies. */
import { createHash } from "node:crypto";
import { repositoryName, sha256, trusted } from "../../hex/ids.ts";
import { micros } from "../../schemas/time.ts";
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

const hash = (text: string) => trusted(sha256, createHash("sha256").update(text).digest("hex"));
const START = 1_500_000_000_000_000;

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
    innerChecksum: hash(`${text} ${number} inner`),
    outerChecksum: hash(`${text} ${number} outer`),
    blobKey: "blobs/none",
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
