/**
 * Builds package tarballs as Hex clients do. The same input gives the same bytes (with one zlib): all
 * times are the year 2000, all owners are 0, and the gzip header tells neither time nor system.
 */
import { createHash } from "node:crypto";
import { crc32, deflateRawSync } from "node:zlib";
import { type Sha256, sha256, trusted } from "../ids.ts";
import { encodeMetadata, type MetadataInput } from "../metadata/encode.ts";
import { innerChecksum } from "./outer.ts";
import { endTar, fileBlocks } from "./tar-writer.ts";

/** What a package is made of. */
export interface PackageParts {
  /** The keys of `metadata.config`. */
  readonly metadata: Readonly<Record<string, MetadataInput>>;
  /** Content by path, in the order in which they are packed; text is encoded as UTF-8. */
  readonly files: Readonly<Record<string, Uint8Array | string>>;
}

/** A tarball and its checksums. */
export interface BuiltTarball {
  readonly tarball: Buffer;
  /** 32 bytes. */
  readonly innerChecksum: Buffer;
  readonly outerChecksum: Sha256;
}

/** Packs without judging: neither the metadata nor the paths are checked. */
export function buildTarball(parts: PackageParts): BuiltTarball {
  const metadata = encodeMetadata(parts.metadata);
  const contents = gzipMember(packFiles(parts.files));
  const version = Buffer.from("3");
  const checksum = innerChecksum(version, metadata, contents);
  const tarball = endTar([
    fileBlocks("VERSION", version),
    fileBlocks("CHECKSUM", Buffer.from(checksum.toString("hex").toUpperCase())),
    fileBlocks("metadata.config", metadata),
    fileBlocks("contents.tar.gz", contents),
  ]);
  const digest = createHash("sha256").update(tarball).digest("hex");
  return { tarball, innerChecksum: checksum, outerChecksum: trusted(sha256, digest) };
}

/** @returns a tar of plain files. */
export function packFiles(files: Readonly<Record<string, Uint8Array | string>>): Buffer {
  return endTar(Object.entries(files).map(([path, content]) => fileBlocks(path, Buffer.from(content))));
}

/** @returns one gzip member with the plainest of headers. */
export function gzipMember(content: Uint8Array): Buffer {
  const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]);
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(content), 0);
  trailer.writeUInt32LE(content.length % 2 ** 32, 4);
  return Buffer.concat([header, deflateRawSync(content), trailer]);
}
