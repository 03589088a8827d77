/**
 * Compares the public store with what the database, the private store and the key say it should hold, and
 * changes nothing: `skep rebuild --check`.
 */
import { createHash } from "node:crypto";
import type { PackageName } from "../hex/ids.ts";
import { HEADER_RULES_VERSION, objectPrefixes } from "../hex/keys.ts";
import { gunzipOneMember } from "../proto/gzip.ts";
import { openSigned, verifySigned } from "../proto/sign.ts";
import { heldReleases, waitingDeletions } from "../store/queries/books.ts";
import { policyRows } from "../store/queries/policies.ts";
import {
  allPackageNames,
  allRepositories,
  inSnapshot,
  packageRows,
  type RepositoryRow,
} from "../store/queries/registry.ts";
import { twinRows } from "../store/queries/twins.ts";
import { type DesiredObject, packageObjects, repositoryObjects } from "./build/objects.ts";
import { policyObjects } from "./build/policies.ts";
import { withoutHeldReleases } from "./build/rows.ts";
import { twinObjects } from "./build/twins.ts";
import type { GeneratorContext } from "./context.ts";
import { loadIndexFiles } from "./index/index-states.ts";
import { inParallel } from "./parallel.ts";
import { currentObject } from "./write/metadata.ts";

/** How an object differs from what it should be. */
export type Difference =
  | "missing" // not there
  | "other payload" // built from other rows, or not by us
  | "bad signature" // not signed with our key
  | "other bytes" // a tarball or docs that are not what was accepted
  | "other headers" // stored under an older version of the header rules
  | "stray" // nothing in the database stands behind it
  | "bytes lost"; // the private store cannot give what a row refers to

export interface Finding {
  readonly key: string;
  readonly difference: Difference;
}

const PACKAGES_AT_ONCE = 200;
// A registry file far beyond any that exists: a bomb in the bucket ends here.
const LARGEST_FILE = 1 << 30;

/** @returns every difference, in the order of keys. */
export async function checkBucket(
  context: GeneratorContext,
  onProgress?: (done: number, total: number) => void,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const repository of await allRepositories(context.sql)) {
    findings.push(...(await checkRepository(context, repository, onProgress)));
  }
  return findings.sort((a, b) => (a.key < b.key ? -1 : 1));
}

async function checkRepository(
  context: GeneratorContext,
  repository: RepositoryRow,
  onProgress: ((done: number, total: number) => void) | undefined,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const wanted = new Set<string>();
  const check = async (objects: readonly DesiredObject[]) => {
    for (const desired of objects) wanted.add(desired.key);
    await inParallel(context.settings.concurrency, objects, async (desired) => {
      const difference = await compare(context, desired);
      if (difference !== undefined) findings.push({ key: desired.key, difference });
    });
  };
  const names = await allPackageNames(context.sql, repository.id);
  for (let start = 0; start < names.length; start += PACKAGES_AT_ONCE) {
    await check(await desiredPackages(context, repository, names.slice(start, start + PACKAGES_AT_ONCE)));
    onProgress?.(Math.min(start + PACKAGES_AT_ONCE, names.length), names.length);
  }
  await check(await desiredIndexes(context, repository));
  // What waits for its grace is there on purpose.
  for (const key of await waitingDeletions(context.sql, repository.id)) wanted.add(key);
  for (const prefix of objectPrefixes(repository)) {
    for await (const { key } of context.publicStore.list(prefix)) {
      if (!wanted.has(key)) findings.push({ key, difference: "stray" });
    }
  }
  return findings;
}

async function desiredPackages(
  context: GeneratorContext,
  repository: RepositoryRow,
  names: readonly PackageName[],
): Promise<readonly DesiredObject[]> {
  const { rows, holds, twins } = await inSnapshot(context.sql, async (tx) => ({
    rows: await packageRows(tx, repository.id, names),
    holds: await heldReleases(tx, repository.id),
    twins: context.twins && (await twinRows(tx, repository.id, names)),
  }));
  return withoutHeldReleases(rows, holds).flatMap((row) => [
    ...packageObjects(repository, row, context.signer),
    ...(context.twins ? twinObjects(repository, row, twins?.get(row.name), context.twins) : []),
  ]);
}

async function desiredIndexes(
  context: GeneratorContext,
  { id }: RepositoryRow,
): Promise<readonly DesiredObject[]> {
  return inSnapshot(context.sql, async (tx) => {
    // Read again with the rows: a publish may have come by since.
    const repository = (await allRepositories(tx)).find((row) => row.id === id);
    if (repository === undefined) return [];
    const files = await loadIndexFiles(tx, id, await heldReleases(tx, id));
    return [
      ...policyObjects(repository, await policyRows(tx, id), context.signer),
      ...repositoryObjects(repository, files, context.signer),
    ];
  });
}

async function compare(context: GeneratorContext, desired: DesiredObject): Promise<Difference | undefined> {
  const stored = await context.publicStore.get(desired.key);
  if (stored === undefined) return "missing";
  const difference = compareBytes(context, desired, stored.body);
  if (difference !== undefined) return difference;
  if (
    desired.source.kind === "blob" &&
    (await context.privateStore.head(desired.source.blobKey)) === undefined
  ) {
    return "bytes lost";
  }
  return currentObject(stored).headerVersion === HEADER_RULES_VERSION ? undefined : "other headers";
}

function compareBytes(
  context: GeneratorContext,
  desired: DesiredObject,
  body: Uint8Array,
): Difference | undefined {
  if (desired.source.kind !== "sign") {
    return createHash("sha256").update(body).digest("hex") === desired.payloadHash
      ? undefined
      : "other bytes";
  }
  try {
    const signed = gunzipOneMember(body, LARGEST_FILE);
    if (!Buffer.from(openSigned(signed).payload).equals(desired.source.payload)) return "other payload";
    verifySigned(signed, context.signer.publicKeyPem);
    return undefined;
  } catch {
    return "bad signature";
  }
}
