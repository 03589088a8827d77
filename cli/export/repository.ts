/** Writes a repository out of the public store into a folder, as static servers and `skep build` read it. */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { inParallel } from "../../generator/parallel.ts";
import { objectKey, parseObjectKey, type RepositoryObject, type RepositoryRef } from "../../hex/keys.ts";
import { directorySource } from "../../mirror/source-directory.ts";
import { PACKAGE_LIMITS, ROOT } from "../../mirror/verify.ts";
import { gunzipOneMember } from "../../proto/gzip.ts";
import { readPublicKey } from "../../proto/public-key.ts";
import { decodePackage, type RegistryPackage } from "../../proto/registry.ts";
import { verifySigned } from "../../proto/sign.ts";
import { SkepError } from "../../schemas/errors.ts";
import { reported, unless } from "../../store/objects/errno.ts";
import type { ListedObject, ObjectStore } from "../../store/objects/store.ts";
import type { Retirement } from "../../store/queries/releases.ts";
import { readEarlier } from "../build/earlier.ts";
import { replaceFiles, type StagedFile, Staging } from "../build/replace-files.ts";
import { formatRetirements, RETIREMENTS_FILE, type Retirements } from "../build/retirements.ts";
import { syncFolder } from "../data-folder.ts";

export interface ExportOptions {
  readonly folder: string;
  readonly repository: RepositoryRef;
  /** Deletes what is in the folder and not in the store. */
  readonly deleteStrays: boolean;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ExportReport {
  readonly files: number;
  /** Of them, those that were not in the folder before. */
  readonly written: number;
  /** In the folder and not in the store, by key; deleted where that was asked for. */
  readonly strays: readonly string[];
}

const AT_ONCE = 8;
const MOST_ROUNDS = 5;
const FOLDERS = ["packages/", "tarballs/", "docs/", "policies/"] as const;

/**
 * Takes only what the folder does not have yet. Publishes may go on meanwhile: it goes round until nothing has changed.
 * @throws SkepError `usage` when the folder holds another repository, `not_found` when the store holds none of that name,
 *   `verification_failed` when a file of the store is not signed as clients expect, `store_unavailable`
 */
export async function exportRepository(store: ObjectStore, options: ExportOptions): Promise<ExportReport> {
  const { folder, repository } = options;
  const held = readEarlier(folder).repository;
  if (held !== undefined && held !== repository.name) {
    throw new SkepError(
      "usage",
      `${folder} holds the repository ${held}: choose another folder for ${repository.name}`,
    );
  }
  const own = join(folder, ".skep-export");
  return reported(`write into ${folder}`, async () => {
    const staging = await Staging.open(own);
    try {
      let written = 0;
      for (let round = 1; ; round++) {
        const result = await exportOnce(store, options, staging);
        written += result.written;
        if (result.settled)
          return { files: result.files, written, strays: await strays(options, result.keys) };
        if (round === MOST_ROUNDS) {
          throw new SkepError(
            "store_unavailable",
            "the repository changes faster than it can be written; try again",
          );
        }
      }
    } finally {
      await staging.close();
    }
  });
}

interface Round {
  readonly files: number;
  readonly written: number;
  /** Whether nothing has changed in the store meanwhile. */
  readonly settled: boolean;
  readonly keys: ReadonlySet<string>;
}

async function exportOnce(store: ObjectStore, options: ExportOptions, staging: Staging): Promise<Round> {
  const { folder, repository, onProgress } = options;
  const keyOf = (object: RepositoryObject) => objectKey(repository, object);
  // Before everything that they name.
  const before = await index(store, repository);
  const objects = await objectsOf(store, repository);
  const staged: StagedFile[] = [];
  const packages: RegistryPackage[] = [];
  let [written, done, lost] = [0, 0, false];
  await inParallel(AT_ONCE, objects, async ({ listed, object }) => {
    const key = objectKey(ROOT, object);
    const there = await unless(readFile(join(folder, key)), "ENOENT");
    const isThere = there?.length === listed.size && md5(there) === listed.etag;
    const bytes = isThere ? there : (await store.get(listed.key))?.body;
    if (bytes === undefined) lost = true;
    else if (object.kind === "package")
      packages.push(openPackage(bytes, before.publicKey, repository, object.package));
    if (bytes !== undefined && !isThere) {
      written += 1;
      const file = await staging.stage({ key, bytes });
      // Packages wait for everything that they name; tarballs and docs are named by nothing yet.
      if (object.kind === "package") staged.push(file);
      else await putInPlace(folder, file);
    }
    onProgress?.(++done, objects.length);
  });
  const indexes: StagedFile[][] = [];
  for (const [key, bytes] of [
    ["public_key", before.publicKey],
    ["versions", before.versions],
    ["names", before.names],
  ] as const) {
    if ((await unless(readFile(join(folder, key)), "ENOENT"))?.equals(bytes)) continue;
    indexes.push([await staging.stage({ key, bytes })]);
    written += 1;
  }
  const after = await store.head(keyOf({ kind: "names" }));
  if (lost || after?.etag !== before.etag) return { files: 0, written, settled: false, keys: new Set() };
  await mkdir(join(folder, "packages"), { recursive: true });
  await replaceFiles(folder, { groups: [staged, ...indexes], removed: [] });
  await writeRetirements(folder, staging, retirementsOf(packages));
  const keys = new Set(objects.map(({ object }) => objectKey(ROOT, object)));
  return { files: keys.size + 3, written, settled: true, keys };
}

interface Index {
  readonly names: Uint8Array;
  /** Of `names`, which is written last. */
  readonly etag: string;
  readonly versions: Uint8Array;
  readonly publicKey: Uint8Array;
}

async function index(store: ObjectStore, repository: RepositoryRef): Promise<Index> {
  const read = async (kind: "names" | "versions" | "public_key") => {
    const found = await store.get(objectKey(repository, { kind }));
    if (found !== undefined) return found;
    throw new SkepError(
      "not_found",
      `${store.description} has no ${kind} of a repository ${repository.name}`,
    );
  };
  const names = await read("names");
  const [versions, publicKey] = [await read("versions"), await read("public_key")];
  return { names: names.body, etag: names.etag, versions: versions.body, publicKey: publicKey.body };
}

interface WantedObject {
  readonly listed: ListedObject;
  readonly object: RepositoryObject;
}

async function objectsOf(store: ObjectStore, repository: RepositoryRef): Promise<readonly WantedObject[]> {
  const root = objectKey(repository, { kind: "names" }).slice(0, -"names".length);
  const objects: WantedObject[] = [];
  for (const folder of FOLDERS) {
    for await (const listed of store.list(root + folder)) {
      const parsed = parseObjectKey(listed.key);
      if (parsed !== undefined) objects.push({ listed, object: parsed.object });
    }
  }
  return objects;
}

function openPackage(
  bytes: Uint8Array,
  publicKey: Uint8Array,
  repository: RepositoryRef,
  name: string,
): RegistryPackage {
  try {
    const key = readPublicKey(Buffer.from(publicKey).toString("utf8"));
    const file = decodePackage(verifySigned(gunzipOneMember(bytes, PACKAGE_LIMITS.payload), key));
    if (file.name === name && file.repository === repository.name) return file;
    throw new TypeError(`it is of ${file.repository}/${file.name}`);
  } catch (cause) {
    const message = `packages/${name} is not what clients expect: ${(cause as Error).message}; see \`skep rebuild --check\``;
    throw new SkepError("verification_failed", message, { cause });
  }
}

async function putInPlace(folder: string, { key, path }: StagedFile): Promise<void> {
  const target = join(folder, key);
  await mkdir(dirname(target), { recursive: true });
  await rename(path, target);
}

/** As `skep build` in this folder is to go on with them. */
async function writeRetirements(folder: string, staging: Staging, retirements: Retirements): Promise<void> {
  const path = join(folder, RETIREMENTS_FILE);
  if (retirements.size === 0) {
    await unless(unlink(path), "ENOENT");
    return;
  }
  const file = await staging.stage({
    key: RETIREMENTS_FILE,
    bytes: Buffer.from(formatRetirements(retirements)),
  });
  await putInPlace(folder, file);
  await syncFolder(folder);
}

function retirementsOf(packages: readonly RegistryPackage[]): Retirements {
  const entries = packages.flatMap(({ name, releases }) => {
    const retired = releases.flatMap(({ version, retired: found }): [string, Retirement][] =>
      found === undefined || typeof found.reason === "number"
        ? []
        : [[version, { reason: found.reason, message: found.message ?? null }]],
    );
    return retired.length === 0 ? [] : [[name, new Map(retired)] as const];
  });
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function strays(
  { folder, deleteStrays }: ExportOptions,
  keys: ReadonlySet<string>,
): Promise<readonly string[]> {
  const found: string[] = [];
  for (const prefix of FOLDERS) {
    for await (const key of directorySource(folder).list?.(prefix) ?? []) if (!keys.has(key)) found.push(key);
  }
  if (deleteStrays) for (const key of found) await unlink(join(folder, key));
  return found;
}

function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}
