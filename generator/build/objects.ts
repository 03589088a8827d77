/** All objects that should be in the public store for a set of packages, from rows. Pure. */
import { createHash } from "node:crypto";
import { type PackageName, type Sha256, sha256, trusted } from "../../hex/ids.ts";
import { objectKey, type RepositoryObject, type RepositoryRef } from "../../hex/keys.ts";
import { encodeIndexEnd, encodePackage } from "../../proto/registry.ts";
import type { PackageRow, RepositoryRow } from "../../store/queries/registry.ts";
import type { IndexFile } from "../index/index-file.ts";
import type { IndexFiles } from "../index/index-files.ts";
import { buildPackage } from "./package.ts";

/** Where an object's bytes come from. */
export type Source =
  | SignedSource
  | { readonly kind: "blob"; readonly blobKey: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

export interface SignedSource {
  readonly kind: "sign";
  readonly payload: Uint8Array;
  /** What the payload is put together from whenever it is asked for, where it is an index. */
  readonly index?: { readonly file: IndexFile; readonly end: Uint8Array };
}

/** An object as it should be. */
export interface DesiredObject {
  readonly key: string;
  readonly object: RepositoryObject;
  readonly package: PackageName | null;
  /** SHA-256 of the payload where it is signed, else of the bytes. */
  readonly payloadHash: Sha256;
  /** Of the key to sign with; null where nothing is signed. */
  readonly keyFingerprint: string | null;
  /** The counter that the payload carries; null where there is none. */
  readonly revision: number | null;
  readonly source: Source;
}

export interface SigningKey {
  readonly fingerprint: string;
  readonly publicKeyPem: string;
}

export function hashOf(bytes: Uint8Array): Sha256 {
  return trusted(sha256, createHash("sha256").update(bytes).digest("hex"));
}

/** @returns the package's tarballs and docs, and `packages/NAME` where it has a release. */
export function packageObjects(
  repository: RepositoryRow,
  row: PackageRow,
  key: SigningKey,
): readonly DesiredObject[] {
  if (row.releases.length === 0) return [];
  const blobs = row.releases.flatMap((release) => {
    const named = { package: row.name, version: release.version };
    const tarball = blobObject(
      repository,
      { kind: "tarball", ...named },
      release.blobKey,
      release.outerChecksum,
    );
    if (release.docs === null) return [tarball];
    return [
      tarball,
      blobObject(repository, { kind: "docs", ...named }, release.docs.blobKey, release.docs.checksum),
    ];
  });
  const object = { kind: "package", package: row.name } as const;
  const payload = encodePackage(buildPackage(repository.name, row));
  const source = { kind: "sign", payload } as const;
  return [...blobs, signedObject(repository, object, source, hashOf(payload), row.revision, key)];
}

/** @returns `names`, `versions` and `public_key`. */
export function repositoryObjects(
  repository: RepositoryRow,
  files: IndexFiles,
  key: SigningKey,
): readonly DesiredObject[] {
  const pem = Buffer.from(key.publicKeyPem);
  return [
    {
      key: objectKey(repository, { kind: "public_key" }),
      object: { kind: "public_key" },
      package: null,
      payloadHash: hashOf(pem),
      keyFingerprint: null,
      revision: null,
      source: { kind: "bytes", bytes: pem },
    },
    indexObject(repository, { kind: "versions" }, files.versions, key),
    indexObject(repository, { kind: "names" }, files.names, key),
  ];
}

function indexObject(
  repository: RepositoryRow,
  object: RepositoryObject,
  file: IndexFile,
  key: SigningKey,
): DesiredObject {
  const end = encodeIndexEnd({ repository: repository.name, revision: repository.revision });
  return signedObject(
    repository,
    object,
    {
      kind: "sign",
      get payload() {
        return file.payload(end);
      },
      index: { file, end },
    },
    trusted(sha256, file.payloadHash(end).toString("hex")),
    repository.revision,
    key,
  );
}

function signedObject(
  repository: RepositoryRef,
  object: RepositoryObject,
  source: SignedSource,
  payloadHash: Sha256,
  revision: number,
  key: SigningKey,
): DesiredObject {
  return {
    key: objectKey(repository, object),
    object,
    package: "package" in object ? object.package : null,
    payloadHash,
    keyFingerprint: key.fingerprint,
    revision,
    source,
  };
}

function blobObject(
  repository: RepositoryRef,
  object: RepositoryObject & { readonly package: PackageName },
  blobKey: string,
  checksum: Sha256,
): DesiredObject {
  return {
    key: objectKey(repository, object),
    object,
    package: object.package,
    payloadHash: checksum,
    keyFingerprint: null,
    revision: null,
    source: { kind: "blob", blobKey },
  };
}
