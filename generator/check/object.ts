/** One object of the public store beside what it should be. */
import { createHash, type KeyObject } from "node:crypto";
import { HEADER_RULES_VERSION, type RepositoryObject } from "../../hex/keys.ts";
import { compareFiles, type RegistryFile } from "../../proto/compare/files.ts";
import type { DesiredObject } from "../build/objects.ts";
import type { GeneratorContext } from "../context.ts";
import { currentObject } from "../write/metadata.ts";
import { signedPayload } from "../write/stored-file.ts";
import { type Finding, foundFields } from "./finding.ts";

/** @returns how the object differs, undefined when it does not. @throws SkepError `store_unavailable` */
export async function checkObject(
  context: GeneratorContext,
  desired: DesiredObject,
  publicKey: KeyObject,
): Promise<Finding | undefined> {
  const { key, source } = desired;
  const stored = await context.publicStore.get(key);
  if (stored === undefined) return { key, difference: "missing" };
  const finding = checkBytes(desired, stored.body, publicKey);
  if (finding !== undefined) return finding;
  if (source.kind === "blob" && (await context.privateStore.head(source.blobKey)) === undefined) {
    return { key, difference: "bytes lost" };
  }
  if (currentObject(stored).headerVersion === HEADER_RULES_VERSION) return undefined;
  return { key, difference: "other headers" };
}

function checkBytes(
  { key, object, source, payloadHash }: DesiredObject,
  body: Uint8Array,
  publicKey: KeyObject,
): Finding | undefined {
  if (source.kind !== "sign") {
    const isSame = createHash("sha256").update(body).digest("hex") === payloadHash;
    return isSame ? undefined : { key, difference: "other bytes" };
  }
  const payload = signedPayload(body, publicKey);
  if (payload === undefined) return { key, difference: "bad signature" };
  if (Buffer.compare(payload, source.payload) === 0) return undefined;
  return { key, difference: "other payload", ...fieldsOf(object, payload, source.payload) };
}

function fieldsOf(
  object: RepositoryObject,
  stored: Uint8Array,
  wanted: Uint8Array,
): Pick<Finding, "fields" | "moreFields"> {
  const kind = registryFile(object);
  if (kind === undefined) return {};
  try {
    return foundFields(compareFiles(kind, stored, wanted));
  } catch {
    // Signed with our key, and yet no such message: nothing to be named.
    return {};
  }
}

/** @returns which kind of registry file the object is; undefined for one of another kind. */
export function registryFile({ kind }: RepositoryObject): RegistryFile | undefined {
  return kind === "names" || kind === "versions" || kind === "package" || kind === "policy"
    ? kind
    : undefined;
}
