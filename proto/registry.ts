/**
 * `names`, `versions` and `packages/NAME` as plain values, and their codec. Encoding is canonical: fields in
 * the order of their numbers, absent ones left out, so that equal values give equal bytes. The bytes are
 * those of Hex's own encoder.
 */
import {
  type AdvisorySeverity,
  advisorySeverities,
  type RetirementReason,
  retirementReasons,
} from "./enums.ts";
import { messageType } from "./schema.ts";
import { own, type RegistryTimestamp, revisionOf, timestampOf, type WireTimestamp } from "./wire.ts";

export interface RegistryNames {
  readonly repository: string;
  readonly packages: readonly { readonly name: string; readonly updatedAt?: RegistryTimestamp }[];
  /** Our counter; absent in files of other programs. */
  readonly revision?: number;
}

export interface RegistryVersions {
  readonly repository: string;
  readonly packages: readonly {
    readonly name: string;
    readonly versions: readonly string[];
    /** Zero-based indexes into `versions`, ascending. */
    readonly retired: readonly number[];
    readonly withAdvisories: readonly number[];
  }[];
  readonly revision?: number;
}

export interface RegistryDependency {
  readonly package: string;
  readonly requirement: string;
  readonly optional?: boolean;
  readonly app?: string;
  readonly repository?: string;
}

export interface RegistryRelease {
  readonly version: string;
  /** 32 bytes each. */
  readonly innerChecksum: Uint8Array;
  readonly outerChecksum?: Uint8Array;
  readonly dependencies: readonly RegistryDependency[];
  readonly retired?: { readonly reason: RetirementReason; readonly message?: string };
  /** Zero-based indexes into the package's advisories, ascending. */
  readonly advisoryIndexes: readonly number[];
  readonly publishedAt?: RegistryTimestamp;
}

export interface RegistryAdvisory {
  readonly id: string;
  readonly summary: string;
  readonly htmlUrl: string;
  readonly severity?: AdvisorySeverity;
  /** Single precision on the wire. */
  readonly cvssScore?: number;
  readonly apiUrl: string;
  readonly aliases: readonly string[];
}

export interface RegistryPackage {
  readonly repository: string;
  readonly name: string;
  readonly releases: readonly RegistryRelease[];
  readonly advisories: readonly RegistryAdvisory[];
  readonly revision?: number;
}

const Names = messageType("Names");
const NamesPackage = messageType("NamesPackage");
const Versions = messageType("Versions");
const VersionsPackage = messageType("VersionsPackage");
const Package = messageType("Package");

export function encodeNames(names: RegistryNames): Uint8Array {
  return Names.encode(names);
}

export function encodeVersions(versions: RegistryVersions): Uint8Array {
  return Versions.encode(versions);
}

/** @returns a package's part of `names`: the file is these, and {@link encodeIndexEnd} behind them. */
export function encodeNamesPackage(entry: RegistryNames["packages"][number]): Uint8Array {
  return NamesPackage.encodeField(1, entry);
}

/** @returns a package's part of `versions`, likewise. */
export function encodeVersionsPackage(entry: RegistryVersions["packages"][number]): Uint8Array {
  return VersionsPackage.encodeField(1, entry);
}

/** @returns what stands behind the packages in both indexes. */
export function encodeIndexEnd(end: Pick<RegistryNames, "repository" | "revision">): Uint8Array {
  return Names.encode({ ...end, packages: [] });
}

export function encodePackage(value: RegistryPackage): Uint8Array {
  return Package.encode({
    ...value,
    releases: value.releases.map(encodableRelease),
    advisories: value.advisories.map(encodableAdvisory),
  });
}

function encodableRelease(release: RegistryRelease): object {
  const { retired } = release;
  if (retired === undefined) return release;
  return { ...release, retired: { ...retired, reason: retirementReasons.toNumber(retired.reason) } };
}

function encodableAdvisory(advisory: RegistryAdvisory): object {
  const { severity } = advisory;
  if (severity === undefined) return advisory;
  return { ...advisory, severity: advisorySeverities.toNumber(severity) };
}

// What protobufjs decodes has the shape of the .proto file, with numbers for enumerations.
type WireNames = Omit<RegistryNames, "packages"> & {
  readonly packages: readonly { readonly name: string; readonly updatedAt?: WireTimestamp | null }[];
};
type WireRelease = Omit<RegistryRelease, "retired" | "publishedAt"> & {
  readonly retired?: { readonly reason: number; readonly message?: string } | null;
  readonly publishedAt?: WireTimestamp | null;
};
type WireAdvisory = Omit<RegistryAdvisory, "severity"> & { readonly severity?: number };
type WirePackage = Omit<RegistryPackage, "releases" | "advisories"> & {
  readonly releases: readonly WireRelease[];
  readonly advisories: readonly WireAdvisory[];
};

/** @throws {ProtoError} `protobuf_malformed` */
export function decodeNames(bytes: Uint8Array): RegistryNames {
  const wire = Names.decode(bytes) as unknown as WireNames;
  return {
    repository: wire.repository,
    packages: wire.packages.map(({ name, updatedAt }) => ({
      name,
      ...(updatedAt ? { updatedAt: timestampOf(updatedAt) } : {}),
    })),
    ...revisionOf(wire),
  };
}

/** @throws {ProtoError} `protobuf_malformed` */
export function decodeVersions(bytes: Uint8Array): RegistryVersions {
  const wire = Versions.decode(bytes) as unknown as RegistryVersions;
  return {
    repository: wire.repository,
    packages: wire.packages.map(({ name, versions, retired, withAdvisories }) => ({
      name,
      versions,
      retired,
      withAdvisories,
    })),
    ...revisionOf(wire),
  };
}

/** @throws {ProtoError} `protobuf_malformed` */
export function decodePackage(bytes: Uint8Array): RegistryPackage {
  const wire = Package.decode(bytes) as unknown as WirePackage;
  return {
    repository: wire.repository,
    name: wire.name,
    releases: wire.releases.map(decodeRelease),
    advisories: wire.advisories.map(decodeAdvisory),
    ...revisionOf(wire),
  };
}

function decodeRelease(wire: WireRelease): RegistryRelease {
  const { retired, publishedAt } = wire;
  return {
    ...own(wire, ["version", "innerChecksum", "outerChecksum", "advisoryIndexes"]),
    dependencies: wire.dependencies.map((dependency) =>
      own(dependency, ["package", "requirement", "optional", "app", "repository"]),
    ),
    ...(retired
      ? { retired: { reason: retirementReasons.fromNumber(retired.reason), ...own(retired, ["message"]) } }
      : {}),
    ...(publishedAt ? { publishedAt: timestampOf(publishedAt) } : {}),
  };
}

function decodeAdvisory(wire: WireAdvisory): RegistryAdvisory {
  const { severity } = own(wire, ["severity"]);
  return {
    ...own(wire, ["id", "summary", "htmlUrl", "cvssScore", "apiUrl", "aliases"]),
    ...(severity === undefined ? {} : { severity: advisorySeverities.fromNumber(severity) }),
  };
}
