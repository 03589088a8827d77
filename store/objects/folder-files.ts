/** Data files of a folder store: staged under a temporary name, read without following links. */
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, lstat, mkdir, open, readdir, rename, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { errno, unless } from "./errno.ts";
import { type FileIdentity, fileIdentity } from "./folder-sidecar.ts";

/** Nobody needs longer from the start of a temporary file to its rename. */
const LEFT_OVER_MILLISECONDS = 3_600_000;
// Without O_NONBLOCK a named pipe in the folder would hold a thread for ever.
const READ = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

export interface StagedFile extends FileIdentity {
  readonly path: string;
}

/** Writes a file under a new name in the folder; it survives a power cut from then on. */
export async function stageFile(folder: string, body: Uint8Array): Promise<StagedFile> {
  const path = temporaryPath(folder);
  const handle = await openNew(folder, path);
  try {
    await handle.writeFile(body);
    const seconds = distinctSeconds();
    await handle.utimes(seconds, seconds);
    await handle.sync();
    return { path, ...fileIdentity(await handle.stat({ bigint: true })) };
  } catch (error) {
    await unless(unlink(path), "ENOENT");
    throw error;
  } finally {
    await handle.close();
  }
}

/** Puts a small file into place at once, but not durably. Makes the directory when it is not there. */
export async function replaceText(folder: string, path: string, text: string): Promise<void> {
  const temporary = temporaryPath(folder);
  await writeFile(temporary, text, { flag: "wx" });
  try {
    await rename(temporary, path);
  } catch (error) {
    if (errno(error) !== "ENOENT") throw error;
    await mkdir(dirname(path), { recursive: true });
    await rename(temporary, path);
  }
}

function temporaryPath(folder: string): string {
  return join(folder, randomBytes(12).toString("hex"));
}

async function openNew(folder: string, path: string): Promise<FileHandle> {
  const handle = await unless(open(path, "wx"), "ENOENT");
  if (handle !== undefined) return handle;
  await mkdir(folder, { recursive: true });
  return open(path, "wx");
}

/**
 * The system stamps files with the time of its last tick, and gives inodes again at once: two files that
 * follow each other under one name could look the same. The monotonic clock tells them apart.
 * @returns seconds since 1970
 */
function distinctSeconds(): number {
  const belowMilliseconds = Number(process.hrtime.bigint() % 1_000_000n);
  return Date.now() / 1_000 + belowMilliseconds / 1e9;
}

/**
 * @param allow is asked before any byte is read, and throws when the file must not be
 * @returns the file and all its bytes, both of one and the same file even when another takes its place.
 */
export async function readFileAt(
  path: string,
  allow: (identity: FileIdentity) => Promise<void>,
): Promise<{ readonly identity: FileIdentity; readonly body: Uint8Array } | "link" | undefined> {
  const handle = await openToRead(path);
  if (handle === undefined || handle === "link") return handle;
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) return undefined;
    const identity = fileIdentity(stats);
    await allow(identity);
    return { identity, body: await readWhole(handle, Number(identity.size)) };
  } finally {
    await handle.close();
  }
}

async function openToRead(path: string): Promise<FileHandle | "link" | undefined> {
  try {
    return await open(path, READ);
  } catch (error) {
    // ENXIO: a socket.
    if (["ENOENT", "ENOTDIR", "ENXIO"].includes(errno(error) ?? "")) return undefined;
    if (errno(error) === "ELOOP") return "link";
    throw error;
  }
}

async function readWhole(handle: FileHandle, size: number): Promise<Uint8Array> {
  // Not from the pool that small buffers share: these may be kept for long.
  const buffer = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(buffer, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

/** Removes what a process that was killed left in the folder for temporary files. */
export async function removeLeftOvers(folder: string): Promise<void> {
  for (const name of (await unless(readdir(folder), "ENOENT")) ?? []) {
    const path = join(folder, name);
    const stats = await unless(lstat(path), "ENOENT");
    if (stats !== undefined && Date.now() - stats.mtimeMs > LEFT_OVER_MILLISECONDS) {
      await unless(unlink(path), "ENOENT");
    }
  }
}
