/** The outer tar of a package: four files, and nothing else in any other form. */
import { createHash } from "node:crypto";
import { binary } from "../terms/term.ts";
import { writeTerm } from "../terms/writer.ts";
import { printable, TarballError } from "./errors.ts";
import type { TarballLimits } from "./limits.ts";
import { TarError } from "./tar-error.ts";
import { type DataSink, type TarEntry, TarReader } from "./tar-reader.ts";

/** In the order in which a missing one is reported. */
export const OUTER_NAMES = ["VERSION", "CHECKSUM", "metadata.config", "contents.tar.gz"] as const;

export type OuterName = (typeof OUTER_NAMES)[number];

/** The four files; views of the tarball, not copies. */
export type OuterFiles = Readonly<Record<OuterName, Buffer>>;

/**
 * @param tarball the whole upload
 * @returns its files, of which VERSION is known to be 3 and the sizes to be under their limits.
 * @throws {TarballError}
 */
export function readOuter(tarball: Buffer, limits: TarballLimits): OuterFiles {
  const found = readEntries(tarball, limits);
  const file = (name: OuterName): Buffer => found.get(name) ?? missing(name);
  const files = {
    VERSION: file("VERSION"),
    CHECKSUM: file("CHECKSUM"),
    "metadata.config": file("metadata.config"),
    "contents.tar.gz": file("contents.tar.gz"),
  };
  checkSizes(files, limits);
  checkVersion(files.VERSION);
  return files;
}

/**
 * @returns the SHA-256 of VERSION, metadata.config and contents.tar.gz, as CHECKSUM gives it.
 * @throws {TarballError} `checksum_invalid`, `checksum_mismatch`
 */
export function checkInnerChecksum(files: OuterFiles): Buffer {
  const text = files.CHECKSUM.toString("latin1");
  const given = /^([0-9A-Fa-f]{64})\n?$/.exec(text)?.[1]?.toUpperCase();
  if (given === undefined)
    throw new TarballError("checksum_invalid", "tarball error, invalid_inner_checksum");
  const actual = innerChecksum(files.VERSION, files["metadata.config"], files["contents.tar.gz"]);
  const actualText = actual.toString("hex").toUpperCase();
  if (actualText === given) return actual;
  const message = `tarball error, inner_checksum_mismatch: expected ${given}, actual ${actualText}`;
  throw new TarballError("checksum_mismatch", message);
}

/** @returns the 32 bytes that CHECKSUM holds in hexadecimal. */
export function innerChecksum(version: Uint8Array, metadata: Uint8Array, contents: Uint8Array): Buffer {
  return createHash("sha256").update(version).update(metadata).update(contents).digest();
}

function readEntries(tarball: Buffer, limits: TarballLimits): ReadonlyMap<string, Buffer> {
  const files = new Map<string, Buffer>();
  const reader = new TarReader((entry) => openFile(entry, files), limits.compressed);
  try {
    reader.write(tarball);
    reader.end();
  } catch (error) {
    throw translate(error);
  }
  return files;
}

function translate(error: unknown): unknown {
  if (!(error instanceof TarError)) return error;
  const code = error.code === "too_big" ? "too_big" : "tar_invalid";
  return new TarballError(code, `tarball error, ${error.message}`, { cause: error });
}

/**
 * Clients find a file by its very name, take the first or the last of two, and stumble over entries they
 * do not know, each in its own way. So there is one way only to be right.
 */
function openFile(entry: TarEntry, files: Map<string, Buffer>): DataSink {
  const name = printable(entry.name);
  if (!OUTER_NAMES.some((known) => known === entry.name)) throw entryError(`unknown entry: ${name}`);
  if (files.has(entry.name)) throw entryError(`duplicate entry: ${name}`);
  if (entry.type !== "0" || entry.extended) throw entryError(`not a plain file: ${name}`);
  files.set(entry.name, Buffer.alloc(0));
  // The tarball is one chunk, so each file arrives as one, too.
  return (data) => files.set(entry.name, data);
}

function entryError(reason: string): TarballError {
  return new TarballError("entry_invalid", `tarball error, ${reason}`);
}

function missing(name: OuterName): never {
  throw new TarballError("files_missing", `missing files: ["${name}"]`);
}

function checkSizes(files: OuterFiles, limits: TarballLimits): void {
  const maxima = { VERSION: limits.version, CHECKSUM: limits.checksum, "metadata.config": limits.metadata };
  for (const name of ["VERSION", "CHECKSUM", "metadata.config"] as const) {
    if (files[name].length > maxima[name]) throw new TarballError("file_too_big", `file too big: ${name}`);
  }
}

function checkVersion(version: Buffer): void {
  if (version.toString("latin1") === "3") return;
  const shown = writeTerm(binary(version));
  throw new TarballError("version_unsupported", `unsupported version: ${shown}`);
}
