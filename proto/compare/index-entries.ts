/**
 * The packages of two index files side by side, without decoding either as a whole: an index may name 200,000
 * packages, and of two that are compared most entries are the same bytes.
 */
import protobuf from "protobufjs";
import { ProtoError } from "../errors.ts";

// Of Names and Versions, see their .proto files.
const PACKAGES = 1;
// Of NamesPackage and VersionsPackage.
const NAME = 1;
const LENGTH_DELIMITED = 2;

export interface IndexEntry {
  readonly name: string;
  /** Its bytes in the file, with their tag. */
  readonly entry: Uint8Array;
  /** @returns a message of the file's type that holds this one package. */
  message(): Uint8Array;
}

/** An index file taken apart. */
export interface IndexParts {
  readonly entries: Iterator<IndexEntry>;
  /** The file without its packages. */
  readonly rest: Uint8Array;
}

/**
 * @param payload of `names` or `versions`
 * @throws {ProtoError} `protobuf_malformed`, also while the entries are read
 */
export function indexParts(payload: Uint8Array): IndexParts {
  const others: Uint8Array[] = [];
  for (const { isPackage, bytes } of fields(payload)) if (!isPackage) others.push(bytes);
  const rest = Buffer.concat(others);
  return { entries: entriesOf(payload, rest), rest };
}

function* entriesOf(payload: Uint8Array, rest: Uint8Array): Generator<IndexEntry> {
  for (const { isPackage, bytes, value } of fields(payload)) {
    if (isPackage) {
      yield { name: nameOf(value), entry: bytes, message: () => Buffer.concat([bytes, rest]) };
    }
  }
}

interface Field {
  readonly isPackage: boolean;
  /** With its tag. */
  readonly bytes: Uint8Array;
  readonly value: Uint8Array;
}

function* fields(message: Uint8Array): Generator<Field> {
  const reader = protobuf.Reader.create(message);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    yield read(() => {
      const tag = reader.uint32();
      const isPackage = tag === (PACKAGES << 3) + LENGTH_DELIMITED;
      const value = isPackage ? reader.bytes() : new Uint8Array();
      if (!isPackage) reader.skipType(tag & 7);
      return { isPackage, bytes: message.subarray(start, reader.pos), value };
    });
  }
}

function nameOf(entry: Uint8Array): string {
  const reader = protobuf.Reader.create(entry);
  return read(() => {
    while (reader.pos < reader.len) {
      const tag = reader.uint32();
      if (tag === (NAME << 3) + LENGTH_DELIMITED) return reader.string();
      reader.skipType(tag & 7);
    }
    return "";
  });
}

function read<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw new ProtoError("protobuf_malformed", `not an index: ${(cause as Error).message}`, { cause });
  }
}
