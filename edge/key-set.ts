/** Where {@link RenewedKeys} get their keys from: the API's key set, and the registry's public key in the store. */
import type { KeyObject } from "node:crypto";
import { objectKey, type RepositoryRef } from "../hex/keys.ts";
import { readPublicKey } from "../proto/public-key.ts";
import { parseKeySet } from "../schemas/access-token/keys.ts";
import type { ObjectStore } from "../store/objects/store.ts";

const TIMEOUT_MILLISECONDS = 5_000;
const LARGEST = 64 * 1024;

/**
 * @param url of a JSON Web Key Set (RFC 7517, 5)
 * @throws Error when there is no answer in time, or another one; SkepError `config_invalid` as `parseKeySet`.
 */
export async function fetchKeySet(url: string, send: typeof fetch = fetch): Promise<readonly KeyObject[]> {
  const response = await send(url, {
    headers: { accept: "application/json", "user-agent": "skep-edge" },
    redirect: "error",
    signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS),
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`${url} answers ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > LARGEST) throw new Error(`${url} answers more than ${LARGEST} bytes`);
    chunks.push(chunk);
  }
  return parseKeySet(Buffer.concat(chunks).toString(), url);
}

/** @returns the key that everything in the store is signed with. @throws Error when there is none yet. */
export async function storedPublicKey(
  store: Pick<ObjectStore, "get">,
  repository: RepositoryRef,
): Promise<readonly KeyObject[]> {
  const key = objectKey(repository, { kind: "public_key" });
  const object = await store.get(key);
  if (object === undefined) throw new Error(`the store has no ${key} yet`);
  return [readPublicKey(Buffer.from(object.body).toString())];
}
