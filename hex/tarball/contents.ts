/** `contents.tar.gz`: the files of a package, checked as a whole without keeping any of their data. */
import { createHash, type Hash } from "node:crypto";
import { contentsError, TarballError } from "./errors.ts";
import { GzipError, inflateMember } from "./gzip.ts";
import { limitsOf, type ReadOptions, type TarballLimits } from "./limits.ts";
import { readPath } from "./paths.ts";
import { checkSymlinks } from "./symlinks.ts";
import { TarError } from "./tar-error.ts";
import { type EntryVisitor, type TarEntry, TarReader } from "./tar-reader.ts";
import { ContentsTree, type EntryKind, listFiles, type PackageFile } from "./tree.ts";

/**
 * @param gzipped the bytes of `contents.tar.gz`; they must not change while they are read
 * @returns the files and links, each once, folder by folder.
 * @throws {TarballError} with a code that begins with `contents_`.
 */
export async function readContents(gzipped: Buffer, options: ReadOptions = {}): Promise<PackageFile[]> {
  const limits = limitsOf(options);
  const tree = new ContentsTree(limits.index);
  await visitEntries(gzipped, limits, (entry) => {
    const kind = kindOf(entry);
    const path = readPath(entry.name, kind === "directory", limits, options);
    tree.add(path, kind, targetOf(entry, kind, limits));
    return undefined;
  });
  checkSymlinks(tree);
  if (tree.repeated.size > 0) await compareRepeated(gzipped, tree.repeated, limits, options);
  return listFiles(tree.root);
}

async function visitEntries(gzipped: Buffer, limits: TarballLimits, visit: EntryVisitor): Promise<void> {
  const reader = new TarReader(visit, limits.uncompressed);
  try {
    await inflateMember(gzipped, limits.uncompressed, (chunk) => reader.write(chunk));
    reader.end();
  } catch (error) {
    throw translate(error, limits);
  }
}

function translate(error: unknown, limits: TarballLimits): unknown {
  const cause = { cause: error };
  if (error instanceof TarError || error instanceof GzipError) {
    if (error.code === "too_big") return tooBig(limits, cause);
    const code = error instanceof GzipError ? "contents_gzip" : "contents_invalid";
    return new TarballError(code, `inner tarball error, ${error.message}`, cause);
  }
  return error;
}

function tooBig(limits: TarballLimits, cause: { cause: unknown }): TarballError {
  const megabytes = limits.uncompressed / 1_000_000;
  const message = `inner tarball error, package exceeds max uncompressed size ${megabytes} MB`;
  return new TarballError("contents_too_big", message, cause);
}

const KINDS = new Map<string, EntryKind>([
  ["0", "file"],
  ["2", "symlink"],
  ["5", "directory"],
]);

const REFUSED = new Map([
  ["1", "hard link"],
  ["3", "character device"],
  ["4", "block device"],
  ["6", "fifo"],
  ["S", "sparse file"],
  ["g", "global header"],
]);

/** @throws {TarballError} `contents_type` */
function kindOf(entry: TarEntry): EntryKind {
  const kind = KINDS.get(entry.type);
  if (kind === undefined) {
    const type = REFUSED.get(entry.type) ?? `type ${JSON.stringify(entry.type)}`;
    throw contentsError("contents_type", shown(entry.name), `unsupported entry: ${type}`);
  }
  // Some readers skip data after such a header, others read them as the next header.
  if (kind !== "file" && entry.size !== 0) {
    throw contentsError("contents_type", shown(entry.name), `a ${kind} cannot have data`);
  }
  return kind;
}

function targetOf(entry: TarEntry, kind: EntryKind, limits: TarballLimits): string {
  if (kind !== "symlink") return "";
  const target = shown(entry.linkName);
  if (entry.linkName.length > limits.path) {
    throw contentsError("contents_symlink", target, "unsafe_symlink: the target is too long");
  }
  return target;
}

/** Names are held as bytes; what is no UTF-8 in them is shown as a replacement character. */
function shown(name: string): string {
  return Buffer.from(name, "latin1").toString("utf8");
}

/**
 * Reads the files again that came more than once. Whoever lists or shows a package may take the first of
 * them and whoever unpacks it the last, so they must be the same.
 */
async function compareRepeated(
  gzipped: Buffer,
  repeated: ReadonlySet<string>,
  limits: TarballLimits,
  options: ReadOptions,
): Promise<void> {
  const digests = new Map<string, string>();
  let open: { path: string; hash: Hash } | undefined;
  const close = (): void => {
    if (open === undefined) return;
    const digest = open.hash.digest("base64");
    const first = digests.get(open.path) ?? digest;
    if (first !== digest)
      throw contentsError("contents_conflict", open.path, "Duplicate entry with other content");
    digests.set(open.path, digest);
    open = undefined;
  };
  await visitEntries(gzipped, limits, (entry) => {
    close();
    const path = readPath(entry.name, true, limits, options).join("/");
    if (entry.type !== "0" || !repeated.has(path)) return undefined;
    const hash = createHash("sha256");
    open = { path, hash };
    return (chunk) => hash.update(chunk);
  });
  close();
}
