/** Puts the server of files together: who may read, and by which keys that is judged. */
import type { KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import { fetchKeySet, storedPublicKey } from "../../edge/key-set.ts";
import { createPrivateReaders, type PrivateReaders, type ReadersSettings } from "../../edge/readers.ts";
import { RenewedKeys } from "../../edge/renewed-keys.ts";
import type { RepositoryRef } from "../../hex/keys.ts";
import { parseKeySet } from "../../schemas/access-token/keys.ts";
import type { EdgeConfig } from "../../schemas/config/config.ts";
import type { KeySetPlace } from "../../schemas/config/parsers.ts";
import { SkepError } from "../../schemas/errors.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import { isUnavailable, openPool } from "../../store/postgres/pool.ts";
import { openRole } from "../database.ts";
import type { Service } from "../service.ts";

/** Of each process: an install asks for many files at once. */
const CONNECTIONS = 4;

export interface ReadersParts {
  readonly config: Pick<EdgeConfig, "keySet" | "apiKeys">;
  readonly store: ObjectStore;
  readonly repository: RepositoryRef;
}

/**
 * Neither Postgres nor the API need be there: what they know is asked for when it is needed.
 * @throws SkepError as `Database.rolePool`, when Postgres answers and cannot be used; `config_invalid` for a file of keys
 *   that cannot.
 */
export async function openReaders(parts: ReadersParts, service: Service): Promise<PrivateReaders> {
  const { config, store, repository } = parts;
  const { log } = service;
  const now = () => performance.now();
  const tokenKeys = new RenewedKeys({
    load: () => readKeySet(config.keySet),
    now,
    onFailure: (error) => log.error({ err: error }, "the public keys of access tokens cannot be read"),
  });
  const registryKeys = new RenewedKeys({
    load: () => storedPublicKey(store, repository),
    now,
    onFailure: (error) => log.error({ err: error }, "the registry's public key cannot be read"),
  });
  // Unlike a URL, at which somebody may answer later, it does not become right by itself.
  if (config.keySet.kind === "file") await readKeySet(config.keySet);
  const apiKeys = await openApiKeys(config.apiKeys, service);
  // Read at once, so that the first token is judged even if the API is down by then. A failure is logged.
  await tokenKeys.keysFor(undefined).catch(() => undefined);
  return createPrivateReaders({ apiKeys, tokenKeys, registryKeys, clock: () => new Date() });
}

async function readKeySet(place: KeySetPlace): Promise<readonly KeyObject[]> {
  if (place.kind === "url") return fetchKeySet(place.url);
  const text = await readFile(place.path, "utf8").catch((cause: Error) => {
    throw new SkepError("config_invalid", `SKEP_TOKEN_KEY_SET cannot be read: ${cause.message}`, { cause });
  });
  return parseKeySet(text, place.path);
}

async function openApiKeys(
  config: EdgeConfig["apiKeys"],
  { log, teardown }: { readonly log: Logger; readonly teardown: Service["teardown"] },
): Promise<ReadersSettings["apiKeys"]> {
  if (config === undefined) {
    log.info({}, "without DATABASE_URL: private files are for access tokens alone, API keys are refused");
    return undefined;
  }
  const url = config.databaseUrl.reveal();
  const applicationName = `skep edge (pid ${process.pid})`;
  const sql = openPool(url, { role: "skep_edge", max: CONNECTIONS, applicationName });
  teardown.add("the database", () => sql.end({ timeout: 5 }));
  try {
    await openRole(sql, "skep_edge", url);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    log.warn(
      { err: error },
      "Postgres cannot be reached: until it can, only access tokens open private files",
    );
  }
  return { sql, secret: config.secret.reveal() };
}
