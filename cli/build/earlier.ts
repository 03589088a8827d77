/** What a registry's folder holds from before: it goes on from there, with or without a cache. */
import type { KeyObject } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ProtoError } from "../../proto/errors.ts";
import { gunzipOneMember } from "../../proto/gzip.ts";
import { publicKeyFingerprint, readPublicKey } from "../../proto/public-key.ts";
import { decodeNames, decodePackage, decodeVersions, type RegistryPackage } from "../../proto/registry.ts";
import { verifySigned } from "../../proto/sign.ts";
import { type Micros, microsFrom } from "../../schemas/time.ts";

export interface Earlier {
  /** Undefined where there is no public key. */
  readonly fingerprint: string | undefined;
  /** The name that the index files carry; undefined where there are none. */
  readonly repository: string | undefined;
  /** The highest counter of the index files. */
  readonly revision: number;
  readonly updatedAt: ReadonlyMap<string, Micros>;
  /** What lies in `packages`. */
  readonly packageFiles: readonly string[];
  /** @returns the bytes as they lie there. */
  file(key: string): Uint8Array | undefined;
  /** @returns what is signed in the file; undefined when it is not there, or nothing that the folder's key has signed. */
  payload(key: string): Uint8Array | undefined;
  package(name: string): RegistryPackage | undefined;
}

const LARGEST_PAYLOAD = 256 << 20;

/** @throws ProtoError `key_invalid` when `public_key` is none */
export function readEarlier(folder: string): Earlier {
  const file = (key: string) => readIfThere(join(folder, key));
  const pem = file("public_key")?.toString("utf8");
  const key = pem === undefined ? undefined : readPublicKey(pem);
  const payload = (path: string) => openFile(file(path), key);
  const names = decoded(payload("names"), decodeNames);
  const versions = decoded(payload("versions"), decodeVersions);
  return {
    fingerprint: pem === undefined ? undefined : publicKeyFingerprint(pem),
    repository: names?.repository ?? versions?.repository,
    revision: Math.max(names?.revision ?? 0, versions?.revision ?? 0),
    updatedAt: new Map(
      names?.packages.flatMap(({ name, updatedAt }) =>
        updatedAt === undefined ? [] : [[name, microsFrom(updatedAt)] as const],
      ),
    ),
    packageFiles: packageFiles(join(folder, "packages")),
    file,
    payload,
    package: (name) => {
      const found = decoded(payload(`packages/${name}`), decodePackage);
      return found?.name === name ? found : undefined;
    },
  };
}

function openFile(file: Uint8Array | undefined, key: KeyObject | undefined): Uint8Array | undefined {
  if (file === undefined || key === undefined) return undefined;
  return unlessBroken(() => verifySigned(gunzipOneMember(file, LARGEST_PAYLOAD), key));
}

function decoded<T>(payload: Uint8Array | undefined, decode: (payload: Uint8Array) => T): T | undefined {
  return payload === undefined ? undefined : unlessBroken(() => decode(payload));
}

/** A file that clients could not read is made anew. */
function unlessBroken<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtoError) return undefined;
    throw error;
  }
}

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function packageFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((name) => !name.startsWith("."));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
