/** What an object's metadata says of it: who wrote it, from what, under which rules. */
import { type Sha256, sha256 } from "../../hex/ids.ts";
import { HEADER_RULES_VERSION, objectHeaders, type RepositoryRef } from "../../hex/keys.ts";
import type { ObjectHead, PutOptions } from "../../store/objects/store.ts";
import type { DesiredObject } from "../build/objects.ts";

/** An object as it is, by its metadata or by our books. */
export interface CurrentObject {
  readonly etag: string;
  /** Undefined where the metadata was lost or another program wrote the object. */
  readonly generation: number | undefined;
  /** Of the claim under which it was written, by its metadata; our books do not keep it. */
  readonly claim?: string | undefined;
  readonly payloadHash: Sha256 | undefined;
  readonly headerVersion: number | undefined;
  readonly keyFingerprint: string | null;
  /** Of signed objects, by their metadata; our books do not keep it. */
  readonly revision?: number | undefined;
}

/** @returns the headers and metadata to put an object with; the precondition is the caller's. */
export function putOptions(
  repository: RepositoryRef,
  desired: DesiredObject,
  claim: { readonly generation: number; readonly id: string },
): Omit<PutOptions, "precondition"> {
  const headers = objectHeaders(repository, desired.object);
  return {
    contentType: headers.contentType,
    cacheControl: headers.cacheControl,
    metadata: {
      "surrogate-key": headers.surrogateKey,
      "surrogate-control": headers.surrogateControl,
      "skep-generation": String(claim.generation),
      "skep-claim": claim.id,
      "skep-hash": desired.payloadHash,
      "skep-header-version": String(HEADER_RULES_VERSION),
      ...(desired.keyFingerprint === null ? {} : { "skep-key": desired.keyFingerprint }),
      ...(desired.revision === null ? {} : { "skep-revision": String(desired.revision) }),
    },
  };
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

export function currentObject(head: ObjectHead): CurrentObject {
  const { metadata } = head;
  return {
    etag: head.etag,
    generation: wholeNumber(metadata["skep-generation"]),
    claim: UUID.exec(metadata["skep-claim"] ?? "")?.[0],
    payloadHash: sha256(metadata["skep-hash"] ?? ""),
    headerVersion: wholeNumber(metadata["skep-header-version"]),
    keyFingerprint: metadata["skep-key"] ?? null,
    revision: wholeNumber(metadata["skep-revision"]),
  };
}

/** Unchanged: the same payload (revision included), the same signing key, the same header rules. */
export function isUnchanged(current: CurrentObject, desired: DesiredObject): boolean {
  return (
    current.payloadHash === desired.payloadHash &&
    current.keyFingerprint === desired.keyFingerprint &&
    current.headerVersion === HEADER_RULES_VERSION
  );
}
