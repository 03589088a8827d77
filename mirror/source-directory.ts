/** A repository in a folder, whoever wrote it: nothing but the files is read. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { type Source, SourceError } from "./source.ts";

export function directorySource(folder: string): Source {
  return {
    description: folder,
    async read(key, maxBytes) {
      try {
        const path = join(folder, key);
        const { size } = await stat(path);
        if (size > maxBytes) throw new SourceError("too_large", `${path} has more than ${maxBytes} bytes`);
        return { body: await readFile(path) };
      } catch (cause) {
        if (isMissing(cause)) return undefined;
        if (cause instanceof SourceError) throw cause;
        throw new SourceError("unreachable", `${key} cannot be read: ${(cause as Error).message}`, { cause });
      }
    },
    async *list(prefix) {
      const start = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      for await (const key of walk(folder, start)) if (key.startsWith(prefix)) yield key;
    },
  };
}

async function* walk(folder: string, prefix: string): AsyncIterable<string> {
  const entries = await readdir(join(folder, prefix), { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    // Hidden names are a driver's own books, or an editor's.
    if (entry.name.startsWith(".")) continue;
    if (entry.isDirectory()) yield* walk(folder, `${prefix}${entry.name}/`);
    else yield prefix + entry.name;
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as { code?: string } | undefined)?.code;
  return code === "ENOENT" || code === "ENOTDIR";
}
