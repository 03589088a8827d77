/**
 * What earlier runs have read, so that the next one reads only what is new. A shortcut and nothing else: without it, the
 * same files come out.
 *
 * A line for each package: what is needed of every package, and behind a tab what is needed of one that has changed, which
 * is parsed only then.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { PackageName, Version } from "../../hex/ids.ts";
import type { Micros } from "../../schemas/time.ts";
import type { TarballRelease } from "./release.ts";
import type { FileIdentity } from "./tarballs.ts";

export interface CachedTarball {
  readonly version: Version;
  /** Null where the file was so young that a change could have left no trace. */
  readonly identity: FileIdentity | null;
}

/** What makes the file of a package, other than its tarballs. */
export interface CachedHead {
  readonly name: PackageName;
  readonly tarballs: readonly CachedTarball[];
  /** Of `packages/NAME`, as it was written. */
  readonly written: FileIdentity;
  readonly revision: number;
  readonly publishedAt: Micros;
  /** Of everything but tarballs that the file is made of. */
  readonly circumstances: string;
  /** Dependencies that do not say where they are: whether they are here decides about the file. */
  readonly unplaced: readonly PackageName[];
}

export interface CachedPackage extends CachedHead {
  /** In the order of the tarballs. */
  releases(): readonly TarballRelease[];
  /** As it stands in the cache. */
  readonly line: string;
}

export type Cache = ReadonlyMap<PackageName, CachedPackage>;

const FIRST_LINE = /^skep build cache 1 ([0-9a-f]{64})\n/;

/** @returns the cache, empty when there is none that is whole. */
export async function readCache(path: string): Promise<{ readonly cache: Cache; readonly damaged: boolean }> {
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    return "";
  });
  if (text === undefined) return { cache: new Map(), damaged: false };
  const first = FIRST_LINE.exec(text);
  const body = text.slice(first?.[0].length ?? 0);
  if (first?.[1] !== digest(body)) return { cache: new Map(), damaged: true };
  const lines = body.split("\n").filter((line) => line !== "");
  return { cache: new Map(lines.map(parseLine).map((one) => [one.name, one])), damaged: false };
}

/** @returns the file that {@link readCache} reads. */
export function formatCache(lines: readonly string[]): string {
  const body = lines.map((line) => `${line}\n`).join("");
  return `skep build cache 1 ${digest(body)}\n${body}`;
}

type Row = readonly [version: Version, ...identity: readonly [number, number, number, number] | readonly []];

export function cacheLine(head: CachedHead, releases: readonly TarballRelease[]): string {
  const { tarballs, written, ...rest } = head;
  const rows = tarballs.map(({ version, identity }): Row => [version, ...numbersOf(identity)]);
  return `${JSON.stringify({ ...rest, written: numbersOf(written), tarballs: rows })}\t${JSON.stringify(releases)}`;
}

// Of a file that the digest has shown to be ours.
function parseLine(line: string): CachedPackage {
  const tab = line.indexOf("\t");
  const { tarballs, written, ...rest } = JSON.parse(line.slice(0, tab)) as Omit<
    CachedHead,
    "tarballs" | "written"
  > & { tarballs: readonly Row[]; written: readonly number[] };
  return {
    ...rest,
    written: identityFrom(written),
    tarballs: tarballs.map(([version, ...identity]) => ({
      version,
      identity: identity.length === 0 ? null : identityFrom(identity),
    })),
    releases: () => JSON.parse(line.slice(tab + 1)) as readonly TarballRelease[],
    line,
  };
}

function numbersOf(identity: FileIdentity | null): readonly [number, number, number, number] | readonly [] {
  return identity === null ? [] : [identity.size, identity.mtimeMs, identity.ctimeMs, identity.inode];
}

function identityFrom([size = 0, mtimeMs = 0, ctimeMs = 0, inode = 0]: readonly number[]): FileIdentity {
  return { size, mtimeMs, ctimeMs, inode };
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
