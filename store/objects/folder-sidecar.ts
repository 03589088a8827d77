/**
 * What a file cannot hold of an object: ETag, headers, metadata. It lies in a file of its own in a hidden
 * folder, which need not be copied along.
 *
 * A sidecar describes two objects, the one that is being put and the one that it replaces, and is written
 * before the data file is renamed into its place. So at every moment, and after a kill at any of them, the
 * record of the object that stands is there. It is not synced: after a power cut it may be old, torn or
 * missing, and then the ETag is computed from the bytes and the metadata is lost.
 */
import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { join } from "node:path";
import type { ObjectHead, PutOptions } from "./store.ts";

/** What tells one data file from any other that ever had the same path. */
export interface FileIdentity {
  readonly inode: bigint;
  /** Bytes. */
  readonly size: bigint;
  /** Nanoseconds since 1970. The driver gives every file another one, as an inode is given again. */
  readonly modified: bigint;
}

export interface SidecarRecord extends FileIdentity {
  readonly etag: string;
  readonly contentType: string | undefined;
  readonly cacheControl: string | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

export function fileIdentity(stats: BigIntStats): FileIdentity {
  return { inode: stats.ino, size: stats.size, modified: stats.mtimeNs };
}

export function sameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.modified === b.modified && a.inode === b.inode && a.size === b.size;
}

/** A name for a key that is safe as a file's name and as long for every key. */
export function keyDigest(key: string): string {
  return createHash("sha256").update(key).digest("hex");
}

/** @returns where the sidecar of a key lies below the folder for sidecars. */
export function sidecarPath(folder: string, key: string): string {
  const digest = keyDigest(key);
  return join(folder, digest.slice(0, 2), `${digest.slice(2)}.json`);
}

export function newRecord(identity: FileIdentity, etag: string, options: PutOptions): SidecarRecord {
  const { inode, size, modified } = identity;
  const { contentType, cacheControl } = options;
  // Remembered for later readers, so nobody else may change it.
  const metadata = Object.freeze({ ...options.metadata });
  return { inode, size, modified, etag, contentType, cacheControl, metadata };
}

export function headOf(record: SidecarRecord): ObjectHead {
  const { etag, contentType, cacheControl, metadata } = record;
  const lastModified = new Date(Number(record.modified / 1_000_000n));
  return { etag, size: Number(record.size), lastModified, contentType, cacheControl, metadata };
}

/** @param records the new one first */
export function formatSidecar(key: string, records: readonly SidecarRecord[]): string {
  const text = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);
  return `${JSON.stringify({ key, records }, text)}\n`;
}

/** @returns the records of a sidecar; none for anything that is not a whole sidecar of this key. */
export function parseSidecar(key: string, text: string): readonly SidecarRecord[] {
  const sidecar = parseJson(text);
  if (!isObject(sidecar) || sidecar.key !== key || !Array.isArray(sidecar.records)) return [];
  return sidecar.records.flatMap((value: unknown) => parseRecord(value) ?? []);
}

function parseRecord(value: unknown): SidecarRecord | undefined {
  if (!isObject(value) || !isObject(value.metadata)) return undefined;
  const { inode, size, modified, etag, contentType, cacheControl } = value;
  const metadata = Object.entries(value.metadata);
  if (!isDigits(inode) || !isDigits(size) || !isDigits(modified) || !isEtag(etag)) return undefined;
  if (!isOptionalText(contentType) || !isOptionalText(cacheControl)) return undefined;
  const texts = metadata.filter((entry): entry is [string, string] => typeof entry[1] === "string");
  if (texts.length !== metadata.length) return undefined;
  return {
    inode: BigInt(inode),
    size: BigInt(size),
    modified: BigInt(modified),
    etag,
    contentType,
    cacheControl,
    metadata: Object.fromEntries(texts),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function isDigits(value: unknown): value is string {
  return typeof value === "string" && /^\d{1,30}$/.test(value);
}

function isEtag(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{32}$/.test(value);
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}
