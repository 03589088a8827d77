/** Where the two object stores are. */

import { join, relative, sep } from "node:path";
import type { StorePlace } from "./parsers.ts";
import type { Secret } from "./secret.ts";
import type { Values } from "./settings.ts";

export interface S3StoreConfig {
  readonly kind: "s3";
  readonly bucket: string;
  readonly prefix: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly forcePathStyle: boolean | undefined;
  /** Undefined: as the AWS SDK finds them. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: Secret } | undefined;
}

export interface FolderStoreConfig {
  readonly kind: "folder";
  readonly path: string;
}

export type StoreConfig = FolderStoreConfig | S3StoreConfig;
export type StoreName = "PUBLIC" | "PRIVATE";

export function storeConfig(values: Values, name: StoreName, problems: string[]): StoreConfig {
  const prefix = `SKEP_${name}_STORE` as const;
  const place: StorePlace = values[prefix] ?? {
    kind: "folder",
    path: join(values.SKEP_DATA_DIR, name.toLowerCase()),
  };
  const settings = {
    ENDPOINT: values[`${prefix}_ENDPOINT`],
    REGION: values[`${prefix}_REGION`],
    ACCESS_KEY_ID: values[`${prefix}_ACCESS_KEY_ID`],
    SECRET_ACCESS_KEY: values[`${prefix}_SECRET_ACCESS_KEY`],
    FORCE_PATH_STYLE: values[`${prefix}_FORCE_PATH_STYLE`],
  };
  if (place.kind === "folder") {
    for (const [end, value] of Object.entries(settings)) {
      if (value !== undefined) problems.push(`${prefix}_${end} is set, but ${prefix} is a folder`);
    }
    return place;
  }
  const { ACCESS_KEY_ID: accessKeyId, SECRET_ACCESS_KEY: secretAccessKey } = settings;
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined)) {
    problems.push(`${prefix}_ACCESS_KEY_ID and ${prefix}_SECRET_ACCESS_KEY go together`);
  }
  return {
    ...place,
    endpoint: settings.ENDPOINT,
    region: settings.REGION,
    forcePathStyle: settings.FORCE_PATH_STYLE,
    credentials:
      accessKeyId === undefined || secretAccessKey === undefined
        ? undefined
        : { accessKeyId, secretAccessKey },
  };
}

/** What is in the public store everybody may read, so the private one must not lie in it. */
export function refuseOverlap(publicStore: StoreConfig, privateStore: StoreConfig, problems: string[]): void {
  const overlap =
    publicStore.kind === "folder" && privateStore.kind === "folder"
      ? isWithin(privateStore.path, publicStore.path) || isWithin(publicStore.path, privateStore.path)
      : publicStore.kind === "s3" && privateStore.kind === "s3" && bucketsOverlap(publicStore, privateStore);
  if (overlap) problems.push("SKEP_PUBLIC_STORE and SKEP_PRIVATE_STORE must not lie in one another");
}

function isWithin(inner: string, outer: string): boolean {
  const way = relative(outer, inner);
  return way === "" || !(way === ".." || way.startsWith(`..${sep}`));
}

function bucketsOverlap(a: S3StoreConfig, b: S3StoreConfig): boolean {
  if (a.bucket !== b.bucket || a.endpoint !== b.endpoint) return false;
  const [one, two] = [`${a.prefix}/`.replace(/^\/$/, ""), `${b.prefix}/`.replace(/^\/$/, "")];
  return one.startsWith(two) || two.startsWith(one);
}
