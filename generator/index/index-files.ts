/** Both indexes of a repository, from rows. */
import { encodeNamesPackage, encodeVersionsPackage } from "../../proto/registry.ts";
import type { IndexRow } from "../../store/queries/registry.ts";
import { namesPackage, versionsPackage } from "../build/indexes.ts";
import { compareText } from "../build/order.ts";
import { ChunkBuilder, ChunkList } from "./chunks.ts";
import { IndexFile } from "./index-file.ts";

// A package takes about 30 bytes of `names` and, with its releases, 90 of `versions`: chunks of 60 to 80 KiB.
const CHUNK_ENDS = { names: 1_024, versions: 128 } as const;

/** Never changed once they are made, but for what they keep of deflate's work. */
export class IndexFiles {
  readonly names: IndexFile;
  readonly versions: IndexFile;

  constructor(names: IndexFile, versions: IndexFile) {
    this.names = names;
    this.versions = versions;
  }

  /** @param rows by package; undefined, or a row without versions: it is in no index */
  with(rows: ReadonlyMap<string, IndexRow | undefined>): IndexFiles {
    if (rows.size === 0) return this;
    const names = new Map<string, Uint8Array | undefined>();
    const versions = new Map<string, Uint8Array | undefined>();
    for (const [name, row] of rows) {
      const listed = row !== undefined && row.versions.length > 0;
      names.set(name, listed ? encodeNamesPackage(namesPackage(row)) : undefined);
      versions.set(name, listed ? encodeVersionsPackage(versionsPackage(row)) : undefined);
    }
    return new IndexFiles(this.names.with(names), this.versions.with(versions));
  }

  /** Deflates what was not deflated yet. */
  async deflate(): Promise<void> {
    await Promise.all([this.versions.deflate(), this.names.deflate()]);
  }
}

/** Takes rows in the byte order of their names, and keeps none. */
export class IndexFilesBuilder {
  readonly #names = new ChunkBuilder(CHUNK_ENDS.names);
  readonly #versions = new ChunkBuilder(CHUNK_ENDS.versions);

  /** @param row behind all that were added before; one without versions is left out */
  add(row: IndexRow): void {
    if (row.versions.length === 0) return;
    this.#names.add(row.name, encodeNamesPackage(namesPackage(row)));
    this.#versions.add(row.name, encodeVersionsPackage(versionsPackage(row)));
  }

  finish(): IndexFiles {
    return new IndexFiles(
      new IndexFile(new ChunkList(CHUNK_ENDS.names, this.#names.finish())),
      new IndexFile(new ChunkList(CHUNK_ENDS.versions, this.#versions.finish())),
    );
  }
}

/** @param rows in any order */
export function indexFilesOf(rows: readonly IndexRow[]): IndexFiles {
  const builder = new IndexFilesBuilder();
  for (const row of [...rows].sort((a, b) => compareText(a.name, b.name))) builder.add(row);
  return builder.finish();
}
