/** Policies, which nothing names: those that a source can list are read. */
import { objectKey, parseObjectKey, type RepositoryRef } from "../hex/keys.ts";
import { decodePolicy, encodePolicy } from "../proto/policy.ts";
import { checkRepositoryName } from "./index-check.ts";
import type { FileLimits, RepositoryReader } from "./reader.ts";
import type { Findings } from "./report.ts";
import { type Source, SourceError } from "./source.ts";

const LIMITS: FileLimits = { file: 4 << 20, payload: 4 << 20 };

/** @returns the keys of what was found. */
export async function checkPolicies(
  source: Source,
  reader: RepositoryReader,
  findings: Findings,
  root: RepositoryRef,
  repository: string,
): Promise<readonly string[]> {
  const keys: string[] = [];
  try {
    for await (const key of source.list?.("policies/") ?? []) keys.push(key);
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    findings.error("policies/", "unreadable", error.message);
  }
  const found: string[] = [];
  for (const key of keys) {
    const object = parseObjectKey(key)?.object;
    // Another file in the folder is a stray.
    if (object?.kind !== "policy" || objectKey(root, object) !== key) continue;
    found.push(key);
    const file = await reader.message(key, { decode: decodePolicy, encode: encodePolicy }, LIMITS);
    if (file === undefined) continue;
    checkRepositoryName(findings, key, repository, file.repository);
    if (file.name !== object.policy) findings.error(key, "name", `is of policy ${JSON.stringify(file.name)}`);
  }
  return found;
}
