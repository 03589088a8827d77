/** Opens an object store from its configuration, and sees that it is fit to be written to. */

import type { S3StoreConfig, StoreConfig } from "../schemas/config/stores.ts";
import { SkepError } from "../schemas/errors.ts";
import { openFolderStore } from "./objects/folder.ts";
import { probeConditionalWrites } from "./objects/probe.ts";
import type { S3Settings } from "./objects/s3-settings.ts";
import type { ObjectStore } from "./objects/store.ts";

/** @throws SkepError `store_unavailable`, or `config_invalid` for settings that cannot work. */
export async function openStore(config: StoreConfig): Promise<ObjectStore> {
  if (config.kind === "folder") return openFolderStore(config.path);
  return openBucket(config);
}

/**
 * Opens a store to be read alone: nothing is written to it, not even to find out how it is written to.
 * @throws SkepError as {@link openStore}.
 */
export async function openReadableStore(config: StoreConfig): Promise<ObjectStore> {
  if (config.kind === "folder") return openFolderStore(config.path);
  const { S3Store } = await import("./objects/s3.ts");
  return new S3Store(bucketSettings(config));
}

async function openBucket(config: S3StoreConfig): Promise<ObjectStore> {
  // The SDK is large: whoever uses folders does not wait for it.
  const { openS3Store } = await import("./objects/s3.ts");
  return openS3Store(bucketSettings(config));
}

function bucketSettings(config: S3StoreConfig): S3Settings {
  const { bucket, prefix, endpoint, region, forcePathStyle, credentials } = config;
  return {
    bucket,
    prefix,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(region === undefined ? {} : { region }),
    ...(forcePathStyle === undefined ? {} : { forcePathStyle }),
    ...(credentials === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: credentials.accessKeyId,
            secretAccessKey: credentials.secretAccessKey.reveal(),
          },
        }),
  };
}

/**
 * Opens a store that is to be written to, and tries out whether it honours conditional writes.
 * @param onUnfit what to do with one that does not: throw, or tell
 * @throws SkepError `store_unconditional`, and as {@link openStore}.
 */
export async function openWritableStore(
  config: StoreConfig,
  onUnfit: "refuse" | ((message: string) => void),
): Promise<ObjectStore> {
  const store = await openStore(config);
  // The folder driver keeps its own promises.
  if (config.kind === "folder") return store;
  try {
    await probeConditionalWrites(store);
    return store;
  } catch (error) {
    if (onUnfit !== "refuse" && error instanceof SkepError && error.code === "store_unconditional") {
      onUnfit(error.message);
      return store;
    }
    await store.close();
    throw error;
  }
}
