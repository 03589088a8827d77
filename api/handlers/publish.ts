/**
 * Publishing, as its steps: read, authorise, open, validate, stage, commit, answer. Nothing is visible before
 * the commit, and nothing that was answered with success is lost after it.
 */
import { packageName, version as parseVersion, trusted } from "../../hex/ids.ts";
import { packageNameProblem } from "../../hex/names.ts";
import { readContents } from "../../hex/tarball/contents.ts";
import { TarballError } from "../../hex/tarball/errors.ts";
import { readTarballMetadata, type TarballHead } from "../../hex/tarball/tarball.ts";
import { type StagedBlob, stageBlob } from "../../store/blobs.ts";
import type { Transaction } from "../../store/postgres/pool.ts";
import { takeRepublishPermit } from "../../store/queries/operations.ts";
import { setOwner } from "../../store/queries/owners.ts";
import { type ApiPackageRow, isReserved, upsertPackage } from "../../store/queries/packages.ts";
import {
  type ApiReleaseRow,
  insertRelease,
  type NewRelease,
  releaseByVersion,
  replaceRelease,
  stoodForOtherBytes,
} from "../../store/queries/releases.ts";
import { authorize, authorizeAgain } from "../auth/authorization.ts";
import { type Answer, type Call, type Handler, type RepositoryRow, textParameter } from "../call.ts";
import { invalid, notFound } from "../http/errors.ts";
import { judgeAnnouncement, readUpload } from "../http/upload.ts";
import { tellPublished } from "../mail/notices.ts";
import { packageMeta, packageMetaErrors } from "../rules/package.ts";
import { releaseErrors, releaseMeta } from "../rules/release.ts";
import { requirementErrors, requirementRows } from "../rules/requirements.ts";
import { auditCall, changePackage } from "./change.ts";
import { findTarget, type PackageTarget, targetOf } from "./lookup.ts";
import { publisherId, publisherName } from "./publisher.ts";
import { isYoung, releaseParams, viewOf } from "./releases.ts";
import { requirementContext } from "./requirement-context.ts";
import { cacheOf } from "./visibility.ts";

/** `POST /publish`: the package's name is inside the tarball, so that is read before anything is authorised. */
export const publish: Handler = async (call) => {
  const body = await receiveUpload(call);
  const head = openTarball(() => readTarballMetadata(body));
  const name = String(head.metadata.name ?? "");
  const target = await targetOf(call, name);
  await authorize(call, target);
  return publishTarball(call, target, name, head, body);
};

/** `POST /packages/:name/releases`: authorised before the body is read, where the client waits for that. */
export const publishRelease: Handler = async (call) => {
  const target = await findTarget(call);
  await authorize(call, target);
  const body = await receiveUpload(call);
  const head = openTarball(() => readTarballMetadata(body));
  return publishTarball(call, target, textParameter(call, "name") ?? "", head, body);
};

/** @returns the body, which a client that waits for `100 Continue` sends only now. */
export async function receiveUpload(call: Call): Promise<Buffer> {
  if (call.upload !== undefined) return call.upload;
  judgeAnnouncement(call.request.headers);
  return readUpload({
    headers: call.request.headers,
    body: call.request.body,
    outgoing: call.outgoing,
    pieceMilliseconds: call.deps.settings.uploadPieceMilliseconds,
    lease: call.lease,
  });
}

function openTarball<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw tarballProblem(error);
  }
}

function tarballProblem(error: unknown): unknown {
  return error instanceof TarballError ? invalid({ tar: error.message }) : error;
}

async function publishTarball(
  call: Call,
  target: PackageTarget,
  name: string,
  head: TarballHead,
  body: Buffer,
): Promise<Answer> {
  // Inflating is what costs processor and memory, so only so many go on at a time; waiting is free.
  await call.unpacking
    .run(() => readContents(head.contentsFile))
    .catch((error: unknown) => {
      throw tarballProblem(error);
    });
  if (head.metadata.name !== name) throw invalid({ name: "metadata does not match package name" });
  const { version } = head.metadata;
  if (typeof version !== "string" || parseVersion(version) === undefined) {
    throw invalid({ version: "is invalid SemVer" });
  }
  const { repository } = target;
  // Whom everything is allowed gets as far as here without one.
  if (repository === undefined) throw notFound();
  const found = { repository, package: target.package };
  const release = await validate(call, found, name, version, head);
  await call.deps.onStep?.("stage", "before");
  const blob = await stageBlob(call.deps.blobs, body, Buffer.from(call.deps.random(16)).toString("hex"));
  await call.deps.onStep?.("stage", "after");
  return commit(call, found, { name, version, head, blob, ...release });
}

type FoundTarget = PackageTarget & { readonly repository: RepositoryRow };

type Validated = Pick<NewRelease, "meta" | "requirements">;

/** Only the errors of the first stage that fails are shown: package, then release. @throws ApiError 422 */
async function validate(
  call: Call,
  { repository, package: existing }: FoundTarget,
  name: string,
  version: string,
  { metadata }: TarballHead,
): Promise<Validated> {
  const { sql, settings } = call.deps;
  if (existing === undefined) {
    const reserved = await isReserved(sql, repository.name, name, null);
    const problem = reserved ? "is reserved" : packageNameProblem(name);
    if (problem !== undefined) throw invalid({ name: problem });
  }
  const rules = repository.public ? settings.publishingRules : "relaxed";
  const metaErrors = packageMetaErrors(metadata, rules);
  if (metaErrors !== undefined) throw invalid({ meta: metaErrors });

  const errors = releaseErrors(version, metadata);
  if (await isReserved(sql, repository.name, name, version)) errors.add("version", "is reserved");
  const required = Array.isArray(metadata.requirements) ? metadata.requirements : [];
  const names = required.map((requirement) => requirement.name);
  const context = await requirementContext(call, repository, names);
  errors.add("requirements", requirementErrors(metadata.requirements, context));
  errors.throwIfAny();
  return { meta: releaseMeta(metadata), requirements: requirementRows(required, context) };
}

interface Accepted extends Validated {
  readonly name: string;
  readonly version: string;
  readonly head: TarballHead;
  readonly blob: StagedBlob;
}

async function commit(
  call: Call,
  { repository, package: existing }: FoundTarget,
  accepted: Accepted,
): Promise<Answer> {
  const { name, version, head } = accepted;
  const { created, row } = await changePackage(call, repository, name, async (tx) => {
    const row = await upsertPackage(
      tx,
      repository.id,
      trusted(packageName, name),
      packageMeta(head.metadata),
    );
    if (row.created) {
      await authorizeAgain(call, { repository }, tx);
      await makeOwner(call, tx, repository, row);
    }
    // Somebody took the name since we looked, or took it again: nobody has authorised us there.
    else if (row.id !== existing?.id) throw invalid({ name: "has already been taken" });
    else await authorizeAgain(call, { repository, package: row }, tx);
    const { created, release } = await writeRelease(call, tx, repository, row, accepted);
    await auditCall(call, tx, "release.publish", releaseParams({ package: row, release }));
    await tellPublished(tx, call.deps.settings, row, version, publisherName(call));
    return { created, row };
  });
  const release = await releaseByVersion(call.deps.sql, row.id, version);
  // Reverted by somebody else while we waited.
  if (release === undefined) throw notFound();
  return {
    status: created ? 201 : 200,
    body: { ...(await viewOf(call, { repository, package: row, release })), downloads: null },
    ...cacheOf([repository]),
    ...(created ? { headers: { location: `/api/packages/${name}/releases/${version}` } } : {}),
  };
}

/** A private package is the organization's, and needs nobody of its own. */
async function makeOwner(
  call: Call,
  tx: Transaction,
  repository: RepositoryRow,
  row: ApiPackageRow,
): Promise<void> {
  const publisher = publisherId(call);
  if (repository.public && publisher !== null) await setOwner(tx, row.id, publisher, "full");
}

/** Runs under the package's lock, so two publishes of one version meet here. */
async function writeRelease(
  call: Call,
  tx: Transaction,
  repository: RepositoryRow,
  row: ApiPackageRow,
  accepted: Accepted,
): Promise<{ readonly created: boolean; readonly release: ApiReleaseRow }> {
  const release: NewRelease = {
    packageId: row.id,
    version: accepted.version,
    innerChecksum: accepted.head.innerChecksum,
    outerChecksum: accepted.blob.checksum,
    blobKey: accepted.blob.key,
    meta: accepted.meta,
    requirements: accepted.requirements,
    publisherId: publisherId(call),
  };
  const { allowReplace } = call.deps.settings;
  const existing = await releaseByVersion(tx, row.id, accepted.version);
  if (existing === undefined) {
    const checksum = accepted.blob.checksum;
    // To revert and to publish again would replace it all the same.
    if (
      !allowReplace &&
      (await stoodForOtherBytes(tx, repository.id, accepted.name, accepted.version, checksum))
    ) {
      throw invalid({
        version: "was published with other contents and reverted; this repository never gives it to others",
      });
    }
    return { created: true, release: await insertRelease(tx, release) };
  }
  const permitted = await takeRepublishPermit(tx, existing.id);
  if (!permitted && !isYoung(call, { repository, package: row, release: existing })) {
    throw invalid({ inserted_at: "can only modify a release up to one hour after publication" });
  }
  const { replace = "true" } = call.params;
  if (replace !== "true")
    throw invalid({ inserted_at: "must include the --replace flag to update an existing release" });
  if (!allowReplace) {
    throw invalid({
      inserted_at: "this repository does not allow to replace a published version; publish a new one",
    });
  }
  return { created: false, release: await replaceRelease(tx, existing.id, release) };
}
