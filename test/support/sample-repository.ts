/**
 * For tests: a small repository without fault, and the same with one. It is put together from messages
 * alone, so that it may hold what no generator would write.
 */
import { buildTarball } from "../../hex/tarball/build.ts";
import { type Source, SourceError } from "../../mirror/source.ts";
import { gzipOneMember } from "../../proto/gzip.ts";
import {
  encodeNames,
  encodePackage,
  encodeVersions,
  type RegistryDependency,
  type RegistryNames,
  type RegistryPackage,
  type RegistryRelease,
  type RegistryVersions,
} from "../../proto/registry.ts";
import { signPayload } from "../../proto/sign.ts";
import type { Signer } from "../../proto/signer.ts";

const packed = new Map<string, ReturnType<typeof buildTarball>>();

export function pack(name: string, version: string): ReturnType<typeof buildTarball> {
  const made =
    packed.get(`${name}-${version}`) ?? buildTarball({ metadata: { name, version }, files: { a: name } });
  packed.set(`${name}-${version}`, made);
  return made;
}

export function release(name: string, version: string, more: Partial<RegistryRelease> = {}): RegistryRelease {
  const { innerChecksum, outerChecksum } = pack(name, version);
  const checksums = { innerChecksum, outerChecksum: Buffer.from(outerChecksum, "hex") };
  return { version, ...checksums, dependencies: [], advisoryIndexes: [], ...more };
}

const advisory = { summary: "", htmlUrl: "", apiUrl: "", aliases: [] };
export const dependencies: readonly RegistryDependency[] = [
  { package: "pear", requirement: "~> 1.0" },
  { package: "quince", requirement: ">= 0.0.0", optional: true },
  { package: "decimal", requirement: "~> 2.0", app: "dec", repository: "hexpm" },
];

export const PEAR: RegistryPackage = {
  repository: "local",
  name: "pear",
  releases: [release("pear", "1.0.0"), release("pear", "1.1.0", { retired: { reason: "renamed" } })],
  advisories: [],
  revision: 4,
};
export const PLUM: RegistryPackage = {
  repository: "local",
  name: "plum",
  releases: [
    release("plum", "0.9.0", { dependencies }),
    release("plum", "0.10.0", { advisoryIndexes: [0, 1] }),
  ],
  advisories: [
    { ...advisory, id: "A" },
    { ...advisory, id: "B" },
  ],
  revision: 5,
};
export const NAMES: RegistryNames = {
  repository: "local",
  packages: [{ name: "pear" }, { name: "plum" }],
  revision: 8,
};
export const VERSIONS: RegistryVersions = {
  repository: "local",
  packages: [
    { name: "pear", versions: ["1.0.0", "1.1.0"], retired: [1], withAdvisories: [] },
    { name: "plum", versions: ["0.9.0", "0.10.0"], retired: [], withAdvisories: [1] },
  ],
  revision: 9,
};

/** What is other than in a repository without fault. */
export interface Fault {
  readonly names?: RegistryNames;
  readonly versions?: RegistryVersions;
  readonly pear?: RegistryPackage;
  readonly plum?: RegistryPackage;
  /** Changes payloads, then signs them. */
  readonly payloads?: Readonly<Record<string, (payload: Uint8Array) => Uint8Array>>;
  /** Changes files as they lie there; undefined: not there. */
  readonly files?: Readonly<Record<string, (file: Uint8Array, all: Files) => Uint8Array | undefined>>;
  readonly headers?: ReadonlyMap<string, string>;
}

export type Files = Map<string, Uint8Array>;

/** @returns the files of the repository by their keys, signed. */
export async function buildRepository(signer: Signer, fault: Fault = {}): Promise<Files> {
  const files: Files = new Map();
  const put = async (key: string, payload: Uint8Array) =>
    files.set(key, gzipOneMember(await signPayload(fault.payloads?.[key]?.(payload) ?? payload, signer)));
  await put("names", encodeNames(fault.names ?? NAMES));
  await put("versions", encodeVersions(fault.versions ?? VERSIONS));
  await put("packages/pear", encodePackage(fault.pear ?? PEAR));
  await put("packages/plum", encodePackage(fault.plum ?? PLUM));
  files.set("public_key", Buffer.from(signer.publicKeyPem));
  for (const { name, releases } of [PEAR, PLUM]) {
    for (const { version } of releases)
      files.set(`tarballs/${name}-${version}.tar`, pack(name, version).tarball);
  }
  files.set("docs/pear-1.0.0.tar.gz", Buffer.alloc(1));
  for (const [key, change] of Object.entries(fault.files ?? {})) {
    const changed = change(files.get(key) ?? new Uint8Array(), files);
    if (changed) files.set(key, changed);
    else files.delete(key);
  }
  return files;
}

/** @param headers that every file comes with; without them the source is none of HTTP */
export function memorySource(files: Files, headers?: ReadonlyMap<string, string>): Source {
  return {
    description: "memory",
    async read(key, maxBytes) {
      const body = files.get(key);
      if (body && body.length > maxBytes) throw new SourceError("too_large", key);
      return body && { body, ...(headers && { headers }) };
    },
    async *list(prefix) {
      for (const key of [...files.keys()].sort()) if (key.startsWith(prefix)) yield key;
    },
  };
}
