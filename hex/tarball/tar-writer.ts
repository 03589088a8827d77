/** Writes tars the way Hex clients do: ustar, with a PAX record for a path that it does not hold. */
import { BLOCK, checksumOf, FIELDS, type Field, USTAR_MAGIC } from "./tar-header.ts";

/** 2000-01-01T00:00:00Z in seconds: every file of every package is of this moment. */
const MTIME = 946_684_800;

/** The fields of a header that are worth choosing; all others are always the same. */
export interface HeaderFields {
  /** Encoded as UTF-8, at most 100 bytes. */
  readonly name: string;
  /** At most 155 bytes. */
  readonly prefix?: string;
  readonly size: number;
  /** The type flag. */
  readonly type?: string;
  /** At most 100 bytes. */
  readonly linkName?: string;
  readonly mode?: number;
}

/** @returns a ustar header of 512 bytes. */
export function headerBlock(fields: HeaderFields): Buffer {
  const block = Buffer.alloc(BLOCK);
  writeField(block, "name", fields.name);
  writeField(block, "mode", octal("mode", fields.mode ?? 0o100644));
  writeField(block, "uid", octal("uid", 0));
  writeField(block, "gid", octal("gid", 0));
  writeField(block, "size", octal("size", fields.size));
  writeField(block, "mtime", octal("mtime", MTIME));
  writeField(block, "type", fields.type ?? "0");
  writeField(block, "linkName", fields.linkName ?? "");
  writeField(block, "magic", USTAR_MAGIC);
  writeField(block, "devMajor", octal("devMajor", 0));
  writeField(block, "devMinor", octal("devMinor", 0));
  writeField(block, "prefix", fields.prefix ?? "");
  return sealHeader(block);
}

/** Writes the checksum of a header, in place. */
export function sealHeader(block: Buffer): Buffer {
  writeField(block, "checksum", octal("checksum", checksumOf(block)));
  return block;
}

/** @throws {RangeError} when the text does not fit. */
export function writeField(block: Buffer, field: Field, text: string): void {
  const [offset, length] = FIELDS[field];
  const bytes = Buffer.from(text);
  if (bytes.length > length) throw new RangeError(`${field} is longer than ${length} bytes`);
  block.fill(0, offset, offset + length).set(bytes, offset);
}

function octal(field: Field, value: number): string {
  const [, length] = FIELDS[field];
  return value.toString(8).padStart(length - 1, "0");
}

/** @returns the content of a PAX header with these records, in their order. */
export function paxRecords(records: Readonly<Record<string, string>>): Buffer {
  return Buffer.from(Object.entries(records).map(paxRecord).join(""));
}

function paxRecord([key, value]: readonly [string, string]): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  // The length counts its own digits, which may be one more for that.
  const length = rest + `${rest + `${rest}`.length}`.length;
  return `${length} ${key}=${value}\n`;
}

/** @returns the blocks of one plain file. */
export function fileBlocks(path: string, content: Uint8Array): Buffer {
  const place = splitPath(path);
  const header = headerBlock({ ...(place ?? { name: "" }), size: content.length });
  const extended = place ? Buffer.alloc(0) : paxBlocks({ path });
  return Buffer.concat([extended, header, padded(content)]);
}

/** @returns a PAX header and its records, to stand before a header. */
export function paxBlocks(records: Readonly<Record<string, string>>): Buffer {
  const content = paxRecords(records);
  return Buffer.concat([
    headerBlock({ name: "PaxHeaders.0", type: "x", size: content.length }),
    padded(content),
  ]);
}

/** @returns where ustar puts the path, or undefined when it has no place for it. */
function splitPath(path: string): { name: string; prefix?: string } | undefined {
  const ascii = /^[\x20-\x7e]*$/.test(path);
  if (!ascii) return undefined;
  if (path.length <= 100) return { name: path };
  const slash = path.indexOf("/", path.length - 101);
  if (slash <= 0 || slash > 155 || slash === path.length - 1) return undefined;
  return { prefix: path.slice(0, slash), name: path.slice(slash + 1) };
}

/** @returns the content, filled up with zeros to whole blocks. */
export function padded(content: Uint8Array): Buffer {
  const padding = (BLOCK - (content.length % BLOCK)) % BLOCK;
  return Buffer.concat([content, Buffer.alloc(padding)]);
}

/** @returns the blocks of all entries, and the two that end a tar. */
export function endTar(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat([...entries, Buffer.alloc(2 * BLOCK)]);
}
