/**
 * Packages for tests: honest by default, and hostile in one line, by overriding any part of them down
 * to the bytes of a header. Checksums are made good again after every override, unless they are the
 * override.
 */
import { encodeMetadata, type MetadataInput } from "../../hex/metadata/encode.ts";
import { gzipMember } from "../../hex/tarball/build.ts";
import { readContents } from "../../hex/tarball/contents.ts";
import { TarballError } from "../../hex/tarball/errors.ts";
import type { ReadOptions } from "../../hex/tarball/limits.ts";
import { innerChecksum } from "../../hex/tarball/outer.ts";
import { FIELDS, type Field, GNU_MAGIC } from "../../hex/tarball/tar-header.ts";
import { headerBlock, padded, paxRecords, sealHeader, writeField } from "../../hex/tarball/tar-writer.ts";
import { readTarball } from "../../hex/tarball/tarball.ts";

/** One entry of a tar, honest unless told otherwise. */
export interface RawEntry {
  /** At most 100 bytes; a Buffer is written as it is. */
  readonly name: string | Buffer;
  readonly content?: string | Uint8Array;
  /** The type flag; `0`, a plain file, by default. */
  readonly type?: string;
  readonly linkName?: string;
  readonly prefix?: string;
  /** Claims another size than the content has. */
  readonly size?: number;
  /** Fields written as they are, without regard to what they should hold. */
  readonly fields?: readonly (readonly [field: Field, value: string | Buffer])[];
  /** A PAX header before the entry: records, or its content as it is. */
  readonly pax?: Readonly<Record<string, string>> | string;
  /** GNU's `L` and `K` entries before the entry. */
  readonly longName?: string;
  readonly longLink?: string;
  /** Spoils the header's checksum. */
  readonly badChecksum?: boolean;
  /** What stands between the content and the next block, in place of zeros. */
  readonly padding?: string;
}

/** @returns a tar of the entries; `end` takes the place of the two blocks of zeros. */
export function rawTar(entries: readonly RawEntry[], end: Uint8Array = Buffer.alloc(1024)): Buffer {
  return Buffer.concat([...entries.map(rawEntry), end]);
}

function rawEntry(entry: RawEntry): Buffer {
  const content = Buffer.from(entry.content ?? "");
  const blocks = padded(content);
  if (entry.padding !== undefined) blocks.write(entry.padding, content.length);
  return Buffer.concat([...extensions(entry), rawHeader(entry, content.length), blocks]);
}

function extensions(entry: RawEntry): Buffer[] {
  const blocks: Buffer[] = [];
  const add = (type: string, name: string, content: string | Buffer): void => {
    blocks.push(rawEntry({ type, name, content }));
  };
  if (entry.longLink !== undefined) add("K", "././@LongLink", `${entry.longLink}\0`);
  if (entry.longName !== undefined) add("L", "././@LongLink", `${entry.longName}\0`);
  if (typeof entry.pax === "string") add("x", "PaxHeaders.0", entry.pax);
  else if (entry.pax !== undefined) add("x", "PaxHeaders.0", paxRecords(entry.pax));
  return blocks;
}

function rawHeader(entry: RawEntry, size: number): Buffer {
  const { type, linkName, prefix } = entry;
  const block = headerBlock({
    name: "",
    size: entry.size ?? size,
    ...(type === undefined ? {} : { type }),
    ...(linkName === undefined ? {} : { linkName }),
    ...(prefix === undefined ? {} : { prefix }),
  });
  if (entry.longName !== undefined || entry.longLink !== undefined) {
    writeField(block, "magic", GNU_MAGIC);
    writeField(block, "prefix", "");
  }
  block.set(Buffer.from(entry.name), 0);
  for (const [field, value] of entry.fields ?? []) block.set(Buffer.from(value), FIELDS[field][0]);
  sealHeader(block);
  if (entry.badChecksum) writeField(block, "checksum", "0000001");
  return block;
}

/** What may be told about a package; everything else is as an honest client would have it. */
export interface PackageOverrides {
  /** Keys of the metadata over {@link EXAMPLE_METADATA}; `name` is also the app, unless `app` is given. */
  readonly metadata?: Readonly<Record<string, MetadataInput>>;
  /** `metadata.config` as it is. */
  readonly metadataFile?: string | Uint8Array;
  /** The entries of the inner tar. */
  readonly entries?: readonly RawEntry[];
  /** What ends the inner tar, in place of two blocks of zeros. */
  readonly innerEnd?: Uint8Array;
  /** Changes `contents.tar.gz`, before the checksum is taken. */
  readonly contents?: (gzipped: Buffer) => Uint8Array;
  readonly version?: string;
  /** Changes CHECKSUM. */
  readonly checksum?: (correct: string) => string;
  /** Changes the entries of the outer tar. */
  readonly outer?: (entries: readonly RawEntry[]) => readonly RawEntry[];
  /** What ends the outer tar, in place of two blocks of zeros. */
  readonly outerEnd?: Uint8Array;
}

/** Metadata that every set of publishing rules accepts. */
export const EXAMPLE_METADATA = {
  name: "example",
  version: "1.0.0",
  app: "example",
  description: "An example",
  licenses: ["Apache-2.0"],
  links: { Source: "https://example.com/source" },
  build_tools: ["mix"],
  elixir: "~> 1.14",
  files: ["mix.exs", "lib/example.ex"],
  requirements: {},
} as const satisfies Record<string, MetadataInput>;

const EXAMPLE_ENTRIES: readonly RawEntry[] = [
  { name: "mix.exs", content: "defmodule Example.MixProject do\nend\n" },
  { name: "lib/example.ex", content: "defmodule Example do\nend\n" },
];

/** @returns the bytes of a package tarball. */
export function packageTarball(overrides: PackageOverrides = {}): Buffer {
  const version = Buffer.from(overrides.version ?? "3");
  const metadata = Buffer.from(overrides.metadataFile ?? encodeMetadata(metadataOf(overrides)));
  const gzipped = gzipMember(rawTar(overrides.entries ?? EXAMPLE_ENTRIES, overrides.innerEnd));
  const contents = Buffer.from(overrides.contents?.(gzipped) ?? gzipped);
  const correct = innerChecksum(version, metadata, contents).toString("hex").toUpperCase();
  const outer: readonly RawEntry[] = [
    { name: "VERSION", content: version },
    { name: "CHECKSUM", content: overrides.checksum?.(correct) ?? correct },
    { name: "metadata.config", content: metadata },
    { name: "contents.tar.gz", content: contents },
  ];
  return rawTar(overrides.outer?.(outer) ?? outer, overrides.outerEnd);
}

function metadataOf({ metadata = {} }: PackageOverrides): Readonly<Record<string, MetadataInput>> {
  return { ...EXAMPLE_METADATA, app: metadata.name ?? EXAMPLE_METADATA.app, ...metadata };
}

/** What the files of a package are, or why it is refused, as `code: message`. Any other error is thrown. */
export async function verdict(tarball: Uint8Array): Promise<string> {
  return told(async () => (await readTarball(tarball)).files.map((file) => file.path).join(" "));
}

/** The same for `contents.tar.gz` alone; a path ends in `@` when it is a link. */
export async function contentsVerdict(gzipped: Uint8Array, options?: ReadOptions): Promise<string> {
  return told(async () => {
    const files = await readContents(Buffer.from(gzipped), options);
    return files.map((file) => (file.kind === "file" ? file.path : `${file.path}@`)).join(" ");
  });
}

/** The same for the entries of an inner tar. */
export async function entriesVerdict(entries: readonly RawEntry[], options?: ReadOptions): Promise<string> {
  return contentsVerdict(gzipMember(rawTar(entries)), options);
}

async function told(read: () => Promise<string>): Promise<string> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof TarballError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}
