/** The PUTs and DELETEs of one stage of a build, several at a time. */
import { createHash } from "node:crypto";
import type { PackageName } from "../../hex/ids.ts";
import { HEADER_RULES_VERSION } from "../../hex/keys.ts";
import { hasCode, SkepError } from "../../schemas/errors.ts";
import type { Hold, RecordedObject } from "../../store/queries/books.ts";
import type { RepositoryRow } from "../../store/queries/registry.ts";
import type { DesiredObject } from "../build/objects.ts";
import { signedFile } from "../build/signed-file.ts";
import type { Claim } from "../claim.ts";
import type { GeneratorContext } from "../context.ts";
import { inParallel } from "../parallel.ts";
import { putOptions } from "./metadata.ts";
import type { Put, Removal } from "./plan.ts";
import { deleteObject, putObject, type Writer } from "./put.ts";
import { reusableFile } from "./stored-file.ts";

/** An object that stands where it should. */
export interface Written {
  readonly desired: DesiredObject;
  readonly etag: string;
}

/** Keys of which a request got no answer, with their packages. */
export type Unanswered = Map<string, PackageName | null>;

/** @returns what a conditional write needs. */
export function writerOf(
  context: GeneratorContext,
  claim: Claim,
  onUnanswered?: (key: string) => void,
): Writer {
  return {
    sql: context.sql,
    store: context.publicStore,
    claim,
    retryMilliseconds: context.settings.writeRetryMilliseconds,
    onUnanswered,
  };
}

/**
 * @param unanswered is told of requests that got no answer
 * @returns what was written, and whose bytes the private store lost or spoilt: they hold up nobody but
 *   themselves.
 */
export async function writePuts(
  context: GeneratorContext,
  claim: Claim,
  repository: RepositoryRow,
  puts: readonly Put[],
  unanswered: Unanswered,
): Promise<{ readonly written: readonly Written[]; readonly held: readonly Hold[] }> {
  const written: Written[] = [];
  const held: Hold[] = [];
  await inParallel(context.settings.concurrency, puts, async ({ desired, known }) => {
    const target = writerOf(context, claim, (key) => unanswered.set(key, desired.package));
    try {
      const body = (await reusableFile(context, desired, known)) ?? (await bytesOf(context, desired));
      const options = putOptions(repository, desired, claim);
      const etag = await putObject(target, desired, body, options, known);
      context.counters.puts += 1;
      written.push({ desired, etag });
    } catch (error) {
      if (!hasCode(error, "blob_missing", "blob_corrupt")) throw error;
      context.log.error({ key: desired.key, code: error.code }, error.message);
      held.push(...holdFor(desired, error.code === "blob_missing" ? "blob_missing" : "blob_corrupt"));
    }
  });
  return { written, held };
}

export async function writeRemovals(
  context: GeneratorContext,
  claim: Claim,
  removals: readonly Removal[],
  unanswered: Unanswered,
): Promise<void> {
  await inParallel(context.settings.concurrency, removals, async (removal) => {
    const target = writerOf(context, claim, (key) => unanswered.set(key, removal.package));
    await deleteObject(target, removal.key, removal.known);
    context.counters.deletes += 1;
  });
}

function holdFor({ object }: DesiredObject, reason: Hold["reason"]): readonly Hold[] {
  if (object.kind !== "tarball" && object.kind !== "docs") return [];
  return [{ package: object.package, version: object.version, object: object.kind, reason }];
}

async function bytesOf(
  context: GeneratorContext,
  { source, payloadHash, key }: DesiredObject,
): Promise<Uint8Array> {
  if (source.kind === "bytes") return source.bytes;
  if (source.kind === "sign") return signedFile(source, context.signer);
  const blob = await context.privateStore.get(source.blobKey);
  if (blob === undefined) {
    throw new SkepError("blob_missing", `the private store has lost the bytes of ${key} (${source.blobKey})`);
  }
  // The API's credentials can write the private store: what is published is what was accepted.
  if (createHash("sha256").update(blob.body).digest("hex") !== payloadHash) {
    throw new SkepError("blob_corrupt", `the private store has other bytes for ${key} (${source.blobKey})`);
  }
  return blob.body;
}

/** @returns the row of our books for an object that stands. */
export function recordOf({ desired, etag }: Written, generation: number): RecordedObject {
  return {
    key: desired.key,
    package: desired.package,
    generation,
    payloadHash: desired.payloadHash,
    etag,
    headerVersion: HEADER_RULES_VERSION,
    keyFingerprint: desired.keyFingerprint,
  };
}
