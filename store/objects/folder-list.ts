/** The keys of a folder store in the order in which S3 lists them. */
import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { unless } from "./errno.ts";
import { compareKeys, isKey } from "./key.ts";

/**
 * Walks directory by directory. Links and what is neither file nor directory are left out, as are hidden
 * folders and names that no key can have.
 * @param prefix a valid start of a key
 * @returns keys in ascending byte order
 */
export async function* keysBelow(root: string, prefix: string): AsyncGenerator<string> {
  const directory = prefix.slice(0, prefix.lastIndexOf("/") + 1);
  for (const entry of await entriesOf(root, directory)) {
    // As much of either as both have: a directory may hold the prefix or be held by it.
    if (entry.startsWith(prefix)) yield* keysOf(root, entry);
  }
}

async function* keysOf(root: string, entry: string): AsyncGenerator<string> {
  if (!entry.endsWith("/")) yield entry;
  else for (const inner of await entriesOf(root, entry)) yield* keysOf(root, inner);
}

/**
 * @param directory "" or a key with a slash behind it
 * @returns keys of files, and of directories with a slash behind them: so `a-b` comes before `a/b`, as `-`
 *   comes before `/`.
 */
async function entriesOf(root: string, directory: string): Promise<readonly string[]> {
  const reading = readdir(join(root, directory), { withFileTypes: true });
  const entries = (await unless<Dirent[]>(reading, "ENOENT", "ENOTDIR")) ?? [];
  const keys = entries.flatMap((entry) => {
    const key = directory + entry.name;
    if (!isKey(key) || !(entry.isFile() || entry.isDirectory())) return [];
    return [entry.isDirectory() ? `${key}/` : key];
  });
  return keys.sort(compareKeys);
}

/**
 * Maps in order, with a few calls under way at a time.
 * @returns the results, without those that are undefined
 */
export async function* mapAhead<T, R>(
  source: AsyncIterable<T>,
  ahead: number,
  map: (item: T) => Promise<R | undefined>,
): AsyncGenerator<R> {
  const pending: Promise<{ readonly value: R | undefined } | { readonly error: unknown }>[] = [];
  async function* settled(count: number): AsyncGenerator<R> {
    while (pending.length > count) {
      const result = await pending.shift();
      if (result === undefined) return;
      if ("error" in result) throw result.error;
      if (result.value !== undefined) yield result.value;
    }
  }
  for await (const item of source) {
    // Kept as a value, as nobody may be waiting yet when one fails.
    pending.push(
      map(item).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      ),
    );
    yield* settled(ahead);
  }
  yield* settled(0);
}
