/** The two object stores of a role. */
import type { GeneratorConfig } from "../../schemas/config/config.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import { openStore, openWritableStore } from "../../store/open.ts";

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
  const privateStore = await openStore(config.privateStore).catch(async (error: unknown) => {
    await publicStore.close();
    throw error;
  });
  return {
    publicStore,
    privateStore,
    async close() {
      await publicStore.close();
      await privateStore.close();
    },
  };
}
