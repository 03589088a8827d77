/** The two object stores of a role. */
import { mkdir } from "node:fs/promises";
import type { GeneratorConfig } from "../../schemas/config/config.ts";
import type { StoreConfig } from "../../schemas/config/stores.ts";
import { SkepError } from "../../schemas/errors.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import { openReadableStore, openStore, openWritableStore } from "../../store/open.ts";

export interface Stores {
  readonly publicStore: ObjectStore;
  readonly privateStore: ObjectStore;
  close(): Promise<void>;
}

/** @throws SkepError `store_unavailable`, `store_unconditional` */
export async function openStores(
  config: Pick<GeneratorConfig, "publicStore" | "privateStore" | "unconditionalStore">,
  warn: (message: string) => void,
): Promise<Stores> {
  const onUnfit = config.unconditionalStore === "refuse" ? "refuse" : warn;
  const publicStore = await openWritableStore(config.publicStore, onUnfit);
  const privateStore = await openPrivateStore(config.privateStore).catch(async (error: unknown) => {
    await publicStore.close();
    throw error;
  });
  return { publicStore, privateStore, close: () => closeBoth(publicStore, privateStore) };
}

/** For commands that change nothing: credentials that may read are enough. @throws SkepError `store_unavailable` */
export async function openStoresToRead(
  config: Pick<GeneratorConfig, "publicStore" | "privateStore">,
): Promise<Stores> {
  const publicStore = await openReadableStore(config.publicStore);
  const { privateStore: location } = config;
  // A folder that is missing is made, and then for its owner alone.
  const privateStore = await (location.kind === "folder"
    ? openPrivateStore(location)
    : openReadableStore(location));
  return { publicStore, privateStore, close: () => closeBoth(publicStore, privateStore) };
}

async function closeBoth(publicStore: ObjectStore, privateStore: ObjectStore): Promise<void> {
  await publicStore.close();
  await privateStore.close();
}

/** @throws SkepError `store_unavailable` */
export async function openPrivateStore(config: StoreConfig): Promise<ObjectStore> {
  // What is accepted is nobody else's business on this machine. A folder that is there is left as it is.
  if (config.kind === "folder") {
    await mkdir(config.path, { recursive: true, mode: 0o700 }).catch((cause: Error) => {
      throw new SkepError("store_unavailable", `cannot make the folder ${config.path}: ${cause.message}`, {
        cause,
      });
    });
  }
  return openStore(config);
}
