/** A repository in a folder, whoever wrote it: nothing but the files is read. */
import type { Dirent } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Source, SourceError } from "./source.ts";

export function directorySource(folder: string): Source {
  return {
    description: folder,
    async read(key, maxBytes) {
      const path = join(folder, key);
      try {
        const found = await stat(path);
        // A pipe would be waited for, without end.
        if (!found.isFile()) throw new SourceError("unreachable", `${path} is not a file`);
        if (found.size > maxBytes)
          throw new SourceError("too_large", `${path} has more than ${maxBytes} bytes`);
        return { body: await readFile(path) };
      } catch (cause) {
        if (isMissing(cause)) return undefined;
        throw unreadable(path, cause);
      }
    },
    async *list(prefix) {
      const start = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      for await (const key of walk(folder, start)) if (key.startsWith(prefix)) yield key;
    },
  };
}

async function* walk(folder: string, prefix: string): AsyncIterable<string> {
  for (const entry of await entriesOf(join(folder, prefix))) {
    // Hidden names are a driver's own books, or an editor's.
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory()) yield* walk(folder, `${prefix}${entry.name}/`);
    else yield prefix + entry.name;
  }
}

async function entriesOf(path: string): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    if (isMissing(cause)) return [];
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): SourceError {
  if (cause instanceof SourceError) return cause;
  return new SourceError("unreachable", `${path} cannot be read: ${(cause as Error).message}`, { cause });
}

function isMissing(error: unknown): boolean {
  const code = (error as { code?: string } | undefined)?.code;
  return code === "ENOENT" || code === "ENOTDIR";
}
