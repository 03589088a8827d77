/** A release's documentation: a tarball that is kept as it came. */
import { packageName, version as parseVersion, trusted } from "../../hex/ids.ts";
import { objectKey } from "../../hex/keys.ts";
import { checkDocs } from "../../hex/tarball/docs.ts";
import { TarballError } from "../../hex/tarball/errors.ts";
import { stageBlob } from "../../store/blobs.ts";
import { touchPackage } from "../../store/queries/packages.ts";
import { setDocs } from "../../store/queries/releases.ts";
import { urlsOf } from "../../views/urls.ts";
import { authorize } from "../auth/authorization.ts";
import type { Call, Handler } from "../call.ts";
import { invalid, notFound } from "../http/errors.ts";
import { auditCall, changePackage, lockTarget } from "./change.ts";
import { findTarget, type ReleaseTarget, requireRelease, requireVersion } from "./lookup.ts";
import { receiveUpload } from "./publish.ts";
import { releaseParams } from "./releases.ts";
import { cacheOf } from "./visibility.ts";

export const showDocs: Handler = async (call) => {
  const target = await findRelease(call);
  await authorize(call, target);
  if (!target.release.hasDocs) throw notFound();
  return { status: 302, headers: { location: docsUrl(call, target) }, ...cacheOf([target.repository]) };
};

export const publishDocs: Handler = async (call) => {
  const target = await findRelease(call);
  await authorize(call, target);
  const body = await receiveUpload(call);
  await call.unpacking
    .run(() => checkDocs(body))
    .catch((error: unknown) => {
      throw error instanceof TarballError ? invalid({ tar: error.message }) : error;
    });
  const { deps } = call;
  await deps.onStep?.("stage", "before");
  const blob = await stageBlob(deps.blobs, body, Buffer.from(deps.random(16)).toString("hex"));
  await deps.onStep?.("stage", "after");
  await writeDocs(call, target, "docs.publish", { blobKey: blob.key, checksum: blob.checksum });
  return { status: 201, headers: { location: docsUrl(call, target) }, ...cacheOf([target.repository]) };
};

export const deleteDocs: Handler = async (call) => {
  const target = await findRelease(call);
  await authorize(call, target);
  await writeDocs(call, target, "docs.revert", null);
  return { status: 204 };
};

async function findRelease(call: Call): Promise<ReleaseTarget> {
  const text = requireVersion(call);
  return requireRelease(call, await findTarget(call), text);
}

function docsUrl(call: Call, { repository, package: row, release }: ReleaseTarget): string {
  const named = { package: trusted(packageName, row.name), version: trusted(parseVersion, release.version) };
  return urlsOf(call.deps.settings).docsTarball(objectKey(repository, { kind: "docs", ...named }));
}

async function writeDocs(
  call: Call,
  target: ReleaseTarget,
  action: string,
  docs: Parameters<typeof setDocs>[2],
): Promise<void> {
  await changePackage(call, target.repository, target.package.name, async (tx) => {
    await lockTarget(call, tx, target);
    await setDocs(tx, target.release.id, docs);
    await touchPackage(tx, target.package.id, true);
    await auditCall(call, tx, action, releaseParams(target, { hasDocs: docs !== null }));
  });
}
