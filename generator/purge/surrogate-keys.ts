/** What may be sent to a CDN as a surrogate key, and how many at once. */
import { SkepError } from "../../schemas/errors.ts";

// A key becomes part of a URL path (Fastly) and of a header that is split at spaces and commas (Varnish).
// `/` would end the path segment, and `.` or `..` alone would name another path: both purge something
// else, or nothing, and are answered with success.
const SAFE_KEY = /^[A-Za-z0-9][A-Za-z0-9:._~%-]{0,1023}$/;

/**
 * @returns the keys without repetition, in the order given.
 * @throws SkepError `purge_refused` for a key that is empty, longer than 1,024 characters (Fastly's
 *   limit) or has characters that would change its meaning on the way.
 */
export function purgeableKeys(surrogateKeys: readonly string[]): readonly string[] {
  for (const key of surrogateKeys) {
    if (!SAFE_KEY.test(key)) {
      throw new SkepError(
        "purge_refused",
        `cannot be sent as a surrogate key: ${JSON.stringify(key.slice(0, 100))}`,
      );
    }
  }
  return [...new Set(surrogateKeys)];
}

/**
 * @param limits `keys` in a batch, and `bytes` of the keys joined by one space; a key longer than that
 *   still gets a batch of its own.
 * @returns the keys in batches, in the order given.
 */
export function inBatches(
  keys: readonly string[],
  limits: { readonly keys: number; readonly bytes: number },
): readonly (readonly string[])[] {
  const batches: string[][] = [];
  let batch: string[] = [];
  let bytes = 0;
  for (const key of keys) {
    if (batch.length > 0 && (batch.length >= limits.keys || bytes + 1 + key.length > limits.bytes)) {
      batches.push(batch);
      batch = [];
    }
    bytes = batch.length === 0 ? key.length : bytes + 1 + key.length;
    batch.push(key);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
