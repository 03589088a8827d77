/** A package of another repository: fetched, staged, committed; what is here already stays as it is. */
import { auditedPackage } from "../../api/views/audit.ts";
import { type PackageName, type Version, version } from "../../hex/ids.ts";
import { packageNameProblem } from "../../hex/names.ts";
import { latestVersion } from "../../hex/versions/sort.ts";
import type { Source } from "../../mirror/source.ts";
import type { RegistryPackage, RegistryRelease } from "../../proto/registry.ts";
import { type Micros, micros, microsFrom } from "../../schemas/time.ts";
import { type StagedBlob, stageBlob } from "../../store/blobs.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import type { Sql, Transaction } from "../../store/postgres/pool.ts";
import { recordChange } from "../../store/queries/changes.ts";
import { setPackageTimes, setReleaseTime } from "../../store/queries/imports.ts";
import { ownerLevel, setOwner } from "../../store/queries/owners.ts";
import {
  type ApiPackageRow,
  isReserved,
  lockPackage,
  type PackageMeta,
  packageByName,
  upsertPackage,
} from "../../store/queries/packages.ts";
import { packageRows, type RepositoryRow, type RetirementReason } from "../../store/queries/registry.ts";
import {
  insertRelease,
  type NewRelease,
  releaseByVersion,
  setDocs,
  setRetirement,
  stoodForOtherBytes,
} from "../../store/queries/releases.ts";
import { heldRepositoryName } from "../../store/queries/repositories.ts";
import type { UserRow } from "../../store/queries/users.ts";
import { fetchDocs, fetchRelease, ImportProblem, importedRequirements } from "./release.ts";

/** Where it goes. */
export interface Target {
  readonly sql: Sql;
  readonly privateStore: ObjectStore;
  readonly repository: RepositoryRow;
  /** Of packages that are new; undefined for a private repository, whose organization owns them. */
  readonly owner: UserRow | undefined;
  /** Fetches documentation as well. */
  readonly docs: boolean;
  /** Nothing is fetched or written. */
  readonly dryRun: boolean;
  readonly uploadId: () => string;
  readonly audit: (tx: Transaction, action: string, params: object) => Promise<void>;
}

export interface PackageReport {
  /** Versions that were imported, or would be. */
  readonly imported: readonly Version[];
  /** How many releases were here before, byte for byte. */
  readonly present: number;
  /** Each with package and version. */
  readonly problems: readonly string[];
}

// So that one that is cut off has lost little, and memory is bounded for a package with thousands of them.
const RELEASES_AT_ONCE = 50;
const REASONS: readonly RetirementReason[] = ["other", "invalid", "security", "deprecated", "renamed"];

interface StagedRelease {
  readonly version: Version;
  readonly listed: RegistryRelease;
  readonly publishedAt: Micros;
  readonly packageMeta: PackageMeta;
  readonly release: Omit<NewRelease, "packageId">;
  readonly docs: StagedBlob | undefined;
}

/**
 * @param file the package as its registry has signed it
 * @param updatedAt when it changed there; stands in for the time of publication where a release has none
 */
export async function importPackage(
  target: Target,
  source: Source,
  name: PackageName,
  file: RegistryPackage,
  updatedAt: Micros,
): Promise<PackageReport> {
  const problems: string[] = [];
  const refusal = await packageRefusal(target, name);
  if (refusal !== undefined) return { imported: [], present: 0, problems: [`${name}: ${refusal}`] };
  const { fresh, present } = await compare(target, name, file, problems);
  if (target.dryRun) return { imported: fresh.map((one) => one.version), present, problems };
  const imported: Version[] = [];
  for (let start = 0; start < fresh.length; start += RELEASES_AT_ONCE) {
    const staged: StagedRelease[] = [];
    for (const { version: text, listed } of fresh.slice(start, start + RELEASES_AT_ONCE)) {
      try {
        staged.push(await stage(target, source, name, text, listed, file.repository, updatedAt));
      } catch (error) {
        if (!(error instanceof ImportProblem)) throw error;
        problems.push(`${name} ${text}: ${error.message}`);
      }
    }
    if (staged.length > 0) imported.push(...(await commit(target, name, staged, updatedAt, source)));
  }
  return { imported, present, problems };
}

/** @returns why nothing of that name may be imported. */
async function packageRefusal(target: Target, name: PackageName): Promise<string | undefined> {
  const { sql, repository, owner } = target;
  const existing = await packageByName(sql, repository.id, name);
  if (existing === undefined) {
    if (await isReserved(sql, repository.name, name, null)) return "the name is reserved";
    const problem = packageNameProblem(name);
    return problem === undefined ? undefined : `the name ${problem}`;
  }
  if (owner === undefined || (await ownerLevel(sql, existing.id, owner.id)) !== undefined) return undefined;
  return `a package of this name is here already, and ${owner.username} is no owner of it`;
}

interface Fresh {
  readonly version: Version;
  readonly listed: RegistryRelease;
}

async function compare(
  { sql, repository }: Target,
  name: PackageName,
  file: RegistryPackage,
  problems: string[],
): Promise<{ readonly fresh: readonly Fresh[]; readonly present: number }> {
  const [row] = await packageRows(sql, repository.id, [name]);
  const here = new Map<string, string>(row?.releases.map((one) => [one.version, one.outerChecksum]));
  const fresh: Fresh[] = [];
  let present = 0;
  for (const listed of file.releases) {
    const text = version(listed.version);
    const checksum = Buffer.from(listed.outerChecksum ?? []).toString("hex");
    if (text === undefined) problems.push(`${name} ${JSON.stringify(listed.version)}: is not a version`);
    else if (!here.has(text)) fresh.push({ version: text, listed });
    else if (here.get(text) === checksum) present += 1;
    else
      problems.push(
        `${name} ${text}: is here already, with other bytes (SHA-256 ${here.get(text)}, there ${checksum})`,
      );
  }
  return { fresh, present };
}

async function stage(
  target: Target,
  source: Source,
  name: PackageName,
  text: Version,
  listed: RegistryRelease,
  from: string,
  updatedAt: Micros,
): Promise<StagedRelease> {
  if (await isReserved(target.sql, target.repository.name, name, text)) {
    throw new ImportProblem("the version is reserved");
  }
  const requirements = importedRequirements(listed.dependencies, from, target.repository.name);
  const { tarball, packageMeta, meta } = await fetchRelease(source, name, text, listed);
  const docs = target.docs ? await fetchDocs(source, name, text) : undefined;
  const blob = await stageBlob(target.privateStore, tarball, target.uploadId());
  return {
    version: text,
    listed,
    publishedAt: listed.publishedAt === undefined ? updatedAt : microsFrom(listed.publishedAt),
    packageMeta,
    release: {
      version: text,
      innerChecksum: listed.innerChecksum,
      outerChecksum: blob.checksum,
      blobKey: blob.key,
      meta,
      publisherId: null,
      requirements,
    },
    docs: docs && (await stageBlob(target.privateStore, docs, target.uploadId())),
  };
}

/** @returns the versions that are in: of two imports at once, each release is that of the first. */
async function commit(
  target: Target,
  name: PackageName,
  staged: readonly StagedRelease[],
  updatedAt: Micros,
  source: Source,
): Promise<readonly Version[]> {
  const { sql, repository } = target;
  return sql.begin(async (tx) => {
    if ((await heldRepositoryName(tx, repository.id)) !== repository.name) {
      throw new ImportProblem(`the repository ${repository.name} was renamed meanwhile`);
    }
    const { row, created } = await takePackage(tx, target, name, staged);
    const imported: Version[] = [];
    for (const one of staged) if (await insert(tx, target, row, one)) imported.push(one.version);
    const times = staged.map(({ publishedAt }) => publishedAt);
    const newest = micros(Math.max(updatedAt, row.updatedAt * Number(!created)));
    await setPackageTimes(tx, row.id, newest, created ? micros(Math.min(...times)) : undefined);
    const params = { package: auditedPackage(row), versions: imported, from: source.description };
    await target.audit(tx, "package.import", params);
    await recordChange(tx, { repositoryId: repository.id, package: name });
    return imported;
  }) as Promise<readonly Version[]>;
}

/** The package, locked; its metadata are those of its highest version. */
async function takePackage(
  tx: Transaction,
  { repository, owner }: Target,
  name: PackageName,
  staged: readonly StagedRelease[],
): Promise<{ readonly row: ApiPackageRow; readonly created: boolean }> {
  const before = await packageByName(tx, repository.id, name);
  const [rows] = before === undefined ? [] : await packageRows(tx, repository.id, [name]);
  const versions = [...staged, ...(rows?.releases ?? [])].map((one) => one.version);
  const highest = staged.find((one) => one.version === latestVersion(versions));
  if (before !== undefined && highest === undefined) {
    const row = await lockPackage(tx, before.id);
    if (row === undefined) throw new ImportProblem(`${name} was removed meanwhile; import it again`);
    return { row, created: false };
  }
  const row = await upsertPackage(tx, repository.id, name, highest?.packageMeta ?? {});
  if (row.created && owner !== undefined) await setOwner(tx, row.id, owner.id, "full");
  // It is what it was before this moment's upsert that tells when it changed.
  return { row: { ...row, updatedAt: before?.updatedAt ?? row.updatedAt }, created: row.created };
}

async function insert(
  tx: Transaction,
  { repository }: Target,
  row: ApiPackageRow,
  { version: text, listed, publishedAt, release, docs }: StagedRelease,
): Promise<boolean> {
  if ((await releaseByVersion(tx, row.id, text)) !== undefined) return false;
  if (await stoodForOtherBytes(tx, repository.id, row.name, text, release.outerChecksum)) {
    throw new ImportProblem(`${row.name} ${text}: stood here for other bytes before it was reverted`);
  }
  const { id } = await insertRelease(tx, { ...release, packageId: row.id });
  const reason = REASONS.find((known) => known === listed.retired?.reason);
  // A reason that nobody has a name for yet is still one.
  if (listed.retired)
    await setRetirement(tx, id, { reason: reason ?? "other", message: listed.retired.message ?? null });
  if (docs) await setDocs(tx, id, { blobKey: docs.key, checksum: docs.checksum });
  await setReleaseTime(tx, id, publishedAt);
  return true;
}
