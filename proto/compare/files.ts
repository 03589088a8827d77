/** Two payloads of the same registry file compared field by field: what the store holds, and what it should. */
import { decodePolicy } from "../policy.ts";
import { decodeNames, decodePackage, decodeVersions } from "../registry.ts";
import { differences, type FieldDifference, type Value } from "./difference.ts";
import { type IndexEntry, indexParts } from "./index-entries.ts";
import { namesEntryValue, packageValue, policyValue, versionsEntryValue } from "./values.ts";

export type RegistryFile = "names" | "versions" | "package" | "policy";

/**
 * @returns the differences, lazily. Of an index they come in the order of packages, and two entries are held at a
 *   time; the entries of one that is not sorted may show as gone and as new.
 * @throws {ProtoError} `protobuf_malformed` while they are read
 */
export function* compareFiles(
  kind: RegistryFile,
  stored: Uint8Array,
  wanted: Uint8Array,
): Generator<FieldDifference> {
  if (kind === "package") {
    yield* differences(packageValue(decodePackage(stored)), packageValue(decodePackage(wanted)));
  } else if (kind === "policy") {
    yield* differences(policyValue(decodePolicy(stored)), policyValue(decodePolicy(wanted)));
  } else {
    yield* compareIndexes(CODECS[kind], stored, wanted);
  }
}

interface IndexCodec {
  /** @param message of one package @returns what the file says of it */
  readonly entry: (message: Uint8Array) => Value | undefined;
  /** @param message without packages */
  readonly whole: (message: Uint8Array) => Value;
}

const CODECS: Record<"names" | "versions", IndexCodec> = {
  names: {
    entry: (message) => decodeNames(message).packages.map(namesEntryValue)[0],
    whole: (message) => withoutPackages(decodeNames(message)),
  },
  versions: {
    entry: (message) => decodeVersions(message).packages.map(versionsEntryValue)[0],
    whole: (message) => withoutPackages(decodeVersions(message)),
  },
};

function withoutPackages({
  repository,
  revision,
}: {
  readonly repository: string;
  readonly revision?: number;
}): Value {
  return { repository, revision };
}

function* compareIndexes(
  codec: IndexCodec,
  storedPayload: Uint8Array,
  wantedPayload: Uint8Array,
): Generator<FieldDifference> {
  const [stored, wanted] = [indexParts(storedPayload), indexParts(wantedPayload)];
  let [left, right] = [nextOf(stored.entries), nextOf(wanted.entries)];
  while (left !== undefined || right !== undefined) {
    const order = compareEntries(left, right);
    const ours = order <= 0 ? left : undefined;
    const theirs = order >= 0 ? right : undefined;
    yield* compareEntry(codec, ours, theirs);
    if (order <= 0) left = nextOf(stored.entries);
    if (order >= 0) right = nextOf(wanted.entries);
  }
  yield* differences(codec.whole(stored.rest), codec.whole(wanted.rest));
}

function* compareEntry(
  codec: IndexCodec,
  stored: IndexEntry | undefined,
  wanted: IndexEntry | undefined,
): Generator<FieldDifference> {
  const name = stored?.name ?? wanted?.name ?? "";
  if (stored && wanted && Buffer.compare(stored.entry, wanted.entry) === 0) return;
  yield* differences(stored && codec.entry(stored.message()), wanted && codec.entry(wanted.message()), [
    { field: "packages" },
    { item: name },
  ]);
}

function nextOf(entries: Iterator<IndexEntry>): IndexEntry | undefined {
  const { done, value } = entries.next();
  return done ? undefined : value;
}

/** By the bytes of their names; one that is missing comes last. */
function compareEntries(a: IndexEntry | undefined, b: IndexEntry | undefined): number {
  if (a === undefined || b === undefined) return a === undefined ? 1 : -1;
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}

/** @returns the counter that the file carries, 0 where there is none. @throws {ProtoError} `protobuf_malformed` */
export function revisionIn(kind: RegistryFile, payload: Uint8Array): number {
  if (kind === "package") return decodePackage(payload).revision ?? 0;
  if (kind === "policy") return decodePolicy(payload).revision ?? 0;
  return decodeNames(indexParts(payload).rest).revision ?? 0;
}
