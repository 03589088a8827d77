/** Files of a feed of advisories: a zip as OSV exports it, a folder, or one record. */
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import yauzl from "yauzl";
import { type Advisory, OsvError, readOsv } from "../../hex/advisories/osv.ts";
import { SkepError } from "../../schemas/errors.ts";

export interface Feed {
  readonly advisories: readonly Advisory[];
  /** Records that cannot be used, each with its file. */
  readonly problems: readonly string[];
  /** Whether it may be all that there is: one record never is. */
  readonly whole: boolean;
}

const MOST_BYTES = 16 << 20;

/** @throws SkepError `usage` when the feed itself cannot be read. */
export async function readFeed(place: string): Promise<Feed> {
  try {
    const found = await stat(place);
    if (found.isDirectory()) return collect(folderFiles(place), true);
    if (place.toLowerCase().endsWith(".zip")) return await collect(zipFiles(place), true);
    return await collect(oneFile(place), false);
  } catch (cause) {
    if (cause instanceof SkepError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SkepError("usage", `${place} cannot be read: ${reason}`, { cause });
  }
}

interface RecordFile {
  readonly name: string;
  readonly text: string;
}

async function collect(files: AsyncIterable<RecordFile>, whole: boolean): Promise<Feed> {
  const advisories = new Map<string, Advisory>();
  const problems: string[] = [];
  for await (const { name, text } of files) {
    try {
      const advisory = readOsv(JSON.parse(text));
      // A record that is about other ecosystems alone is none of ours.
      if (advisory.affected.size > 0) advisories.set(advisory.id, advisory);
    } catch (error) {
      if (!(error instanceof OsvError || error instanceof SyntaxError)) throw error;
      problems.push(`${name}: ${error.message}`);
    }
  }
  return { advisories: [...advisories.values()], problems, whole };
}

async function* oneFile(place: string): AsyncIterable<RecordFile> {
  yield { name: place, text: await readFile(place, "utf8") };
}

async function* folderFiles(place: string): AsyncIterable<RecordFile> {
  const entries = await readdir(place, { withFileTypes: true, recursive: true });
  for (const entry of entries) {
    if (!entry.isFile() || !entry.name.endsWith(".json")) continue;
    const name = join(entry.parentPath, entry.name);
    yield { name, text: await readFile(name, "utf8") };
  }
}

async function* zipFiles(place: string): AsyncIterable<RecordFile> {
  const zip = await yauzl.openPromise(place, { autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.endsWith(".json")) continue;
      if (entry.uncompressedSize > MOST_BYTES) throw new SkepError("usage", `${entry.fileName} is too large`);
      // The library refuses an entry that has more bytes than it says.
      const bytes = await buffer(await zip.openReadStreamPromise(entry));
      yield { name: entry.fileName, text: bytes.toString("utf8") };
    }
  } finally {
    zip.close();
  }
}
