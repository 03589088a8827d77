/** What lies in a repository and is named by nothing in it. */
import { objectKey, objectPrefixes, parseObjectKey, type RepositoryRef } from "../hex/keys.ts";
import type { Findings } from "./report.ts";
import { type Source, SourceError } from "./source.ts";

/** Every key that something names. */
export class NamedKeys {
  readonly #root: RepositoryRef;
  readonly #keys = new Set<string>();
  readonly #unjudged = new Set<string>();

  constructor(root: RepositoryRef) {
    this.#root = root;
  }

  add(...keys: readonly string[]): void {
    for (const key of keys) this.#keys.add(key);
  }

  /** For a package whose file cannot be read: what it would name is not known. */
  leaveOut(packageName: string): void {
    this.#unjudged.add(packageName);
  }

  has(key: string): boolean {
    if (this.#keys.has(key)) return true;
    const object = parseObjectKey(key)?.object;
    // JSON stands beside the file and the tarball that it tells of.
    if (object?.kind === "package_json")
      return this.has(objectKey(this.#root, { kind: "package", package: object.package }));
    if (object?.kind === "release_json")
      return this.has(objectKey(this.#root, { ...object, kind: "tarball" }));
    return object !== undefined && "package" in object && this.#unjudged.has(object.package);
  }
}

/** Lists only where a repository's objects lie: others may have the same folder or bucket. */
export async function findStrays(
  source: Source,
  findings: Findings,
  root: RepositoryRef,
  named: NamedKeys,
): Promise<void> {
  if (source.list === undefined) return;
  for (const prefix of objectPrefixes(root)) {
    try {
      for await (const key of source.list(prefix)) {
        if (!named.has(key)) findings.warning(key, "stray", "nothing in the repository names it");
      }
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      findings.error(prefix, "unreadable", error.message);
    }
  }
}
