/**
 * A package tarball, format 3 of the Hex specification: an outer tar of VERSION, CHECKSUM,
 * metadata.config and contents.tar.gz. What two clients could read differently is refused, so that what
 * is checked here is what everybody gets.
 */
import { createHash } from "node:crypto";
import { type Sha256, sha256, trusted } from "../ids.ts";
import { MetadataError } from "../metadata/errors.ts";
import { type PackageMetadata, readMetadata } from "../metadata/metadata.ts";
import { readContents } from "./contents.ts";
import { TarballError } from "./errors.ts";
import { limitsOf, type ReadOptions } from "./limits.ts";
import { checkInnerChecksum, readOuter } from "./outer.ts";
import type { PackageFile } from "./tree.ts";

/** What a tarball says before its contents are opened. */
export interface TarballHead {
  /** The deprecated checksum of the parts, 32 bytes, as the registry lists it. */
  readonly innerChecksum: Buffer;
  /** Of the whole tarball, as the registry lists it and clients verify it. */
  readonly outerChecksum: Sha256;
  readonly metadata: PackageMetadata;
  /** The file that the metadata were read from, as it is; a view of the upload. */
  readonly metadataFile: Buffer;
  /** `contents.tar.gz`, not yet looked at; a view of the upload. */
  readonly contentsFile: Buffer;
}

/** A tarball that was read to its end. */
export interface Tarball extends TarballHead {
  readonly files: readonly PackageFile[];
}

/**
 * Everything but the contents, in the order in which hex.pm checks it: size, tar, files, their sizes,
 * version, checksum, metadata.
 * @param bytes the upload; they are not copied and must not change
 * @throws {TarballError}
 */
export function readTarballMetadata(bytes: Uint8Array, options: ReadOptions = {}): TarballHead {
  const limits = limitsOf(options);
  if (bytes.length > limits.compressed) {
    throw new TarballError("too_big", "tarball error, Extraction size exceeds the configured max_size limit");
  }
  const tarball = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const files = readOuter(tarball, limits);
  return {
    innerChecksum: checkInnerChecksum(files),
    metadata: parseMetadata(files["metadata.config"]),
    metadataFile: files["metadata.config"],
    contentsFile: files["contents.tar.gz"],
    outerChecksum: trusted(sha256, createHash("sha256").update(tarball).digest("hex")),
  };
}

/**
 * The whole tarball. The contents are inflated chunk by chunk and not kept, so this takes little memory
 * beyond the upload, and other work goes on meanwhile.
 * @param bytes the upload; they are not copied and must not change
 * @throws {TarballError} as a rejection
 */
export async function readTarball(bytes: Uint8Array, options: ReadOptions = {}): Promise<Tarball> {
  const head = readTarballMetadata(bytes, options);
  return { ...head, files: await readContents(head.contentsFile, options) };
}

function parseMetadata(bytes: Buffer): PackageMetadata {
  try {
    return readMetadata(bytes);
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    const message = `error reading package metadata: ${error.message}`;
    throw new TarballError("metadata_invalid", message, { cause: error });
  }
}
