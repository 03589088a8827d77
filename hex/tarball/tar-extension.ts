/**
 * The records before a header that replace parts of it: PAX (POSIX.1-2017, pax) and GNU's long names.
 * They let an archive say one thing to a reader that knows them and another to one that does not, so
 * both must say the same here: the header's name is empty or the beginning of the real one, and the
 * sizes are equal.
 */
import { malformed } from "./tar-error.ts";
import type { TarHeader } from "./tar-header.ts";

/** What the records say about the next entry. Names are bytes in Latin-1, as in {@link TarHeader}. */
export interface Extension {
  readonly path?: string;
  readonly linkPath?: string;
  readonly size?: number;
}

/** No honest record is longer: a path has at most a kibibyte. */
export const MAX_EXTENSION_BYTES = 16_384;

// Times, owners and remarks change nothing about what is extracted where. All others do or might:
// GNU.sparse.* makes another file of the data, hdrcharset other names of the bytes.
const HARMLESS: ReadonlySet<string> = new Set([
  ...["atime", "mtime", "ctime", "uid", "gid", "uname", "gname", "comment"],
]);

/**
 * @param type `x` for PAX, `L` and `K` for GNU's long name and long link name
 * @param data the whole data of the entry
 * @throws {TarError}
 */
export function parseExtension(type: "x" | "L" | "K", data: Buffer): Extension {
  switch (type) {
    case "x":
      return parsePax(data.toString("latin1"));
    case "L":
      return { path: longName(data) };
    case "K":
      return { linkPath: longName(data) };
  }
}

/**
 * @returns the header with what the records say.
 * @throws {TarError} when header and records disagree.
 */
export function extendHeader(header: TarHeader, extension: Extension): TarHeader {
  const { path = header.name, linkPath = header.linkName, size = header.size } = extension;
  if (!path.startsWith(header.name)) throw malformed("Header and extended header name different files");
  if (!linkPath.startsWith(header.linkName))
    throw malformed("Header and extended header name different links");
  if (size !== header.size) throw malformed("Header and extended header give different sizes");
  return { ...header, name: path, linkName: linkPath };
}

function longName(data: Buffer): string {
  const text = data.toString("latin1");
  const name = text.endsWith("\0") ? text.slice(0, -1) : text;
  if (name === "" || name.includes("\0")) throw malformed("Malformed long name");
  return name;
}

function parsePax(text: string): Extension {
  const records = new Map<string, string>();
  // A value with a line feed would end early for readers that look for it instead of counting.
  for (const record of text.split(/(?<=\n)/)) {
    const [key, value] = parseRecord(record);
    if (records.has(key)) throw malformed(`Duplicate PAX record: ${key}`);
    records.set(key, value);
  }
  return extensionOf(records);
}

/** A record is `LENGTH KEY=VALUE\n`; the length counts all of that, itself included. */
function parseRecord(record: string): readonly [key: string, value: string] {
  const [, digits, key, value] = /^([1-9][0-9]{0,5}) ([^=\0]+)=([^\0\n]+)\n$/.exec(record) ?? [];
  if (key === undefined || value === undefined) throw malformed("Malformed PAX record");
  // Erlang's erl_tar, and so every Hex client, counts letters instead of bytes at first, and forgets to
  // count one digit more when the bytes need it.
  const forgotten = /[\x80-\xff]/.test(value) ? 1 : 0;
  const missing = record.length - Number(digits);
  if (missing !== 0 && missing !== forgotten) throw malformed("Malformed PAX record");
  return [key, value];
}

function extensionOf(records: ReadonlyMap<string, string>): Extension {
  const extension: { path?: string; linkPath?: string; size?: number } = {};
  for (const [key, value] of records) {
    if (key === "path") extension.path = value;
    else if (key === "linkpath") extension.linkPath = value;
    else if (key === "size") extension.size = parseSize(value);
    else if (!HARMLESS.has(key)) throw malformed(`Unsupported PAX record: ${key.slice(0, 100)}`);
  }
  return extension;
}

function parseSize(value: string): number {
  if (!/^(?:0|[1-9][0-9]{0,14})$/.test(value)) throw malformed("Malformed PAX record: size");
  return Number(value);
}
