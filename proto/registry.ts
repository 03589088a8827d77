/**
 * `names`, `versions` and `packages/NAME` as plain values, and their codec. Encoding is canonical: fields in
 * the order of their numbers, absent ones left out, so that equal values give equal bytes. The bytes are
 * those of Hex's own encoder.
 */
import { messageType } from "./schema.ts";

/** As google.protobuf.Timestamp: seconds since 1970 UTC, and nanoseconds. */
export interface RegistryTimestamp {
  readonly seconds: number;
  readonly nanos: number;
}

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

const REASONS = ["other", "invalid", "security", "deprecated", "renamed"] as const;
/** A later specification may add reasons: an unknown one is kept as its number. */
export type RetirementReason = (typeof REASONS)[number] | number;

const SEVERITIES = ["none", "low", "medium", "high", "critical"] as const;
export type AdvisorySeverity = (typeof SEVERITIES)[number] | number;

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
const Versions = messageType("Versions");
const Package = messageType("Package");

export function encodeNames(names: RegistryNames): Uint8Array {
  return Names.encode(names);
}

export function encodeVersions(versions: RegistryVersions): Uint8Array {
  return Versions.encode(versions);
}

export function encodePackage(value: RegistryPackage): Uint8Array {
  return Package.encode({
    ...value,
    releases: value.releases.map((release) =>
      release.retired === undefined
        ? release
        : { ...release, retired: { ...release.retired, reason: toNumber(REASONS, release.retired.reason) } },
    ),
    advisories: value.advisories.map((advisory) =>
      advisory.severity === undefined
        ? advisory
        : { ...advisory, severity: toNumber(SEVERITIES, advisory.severity) },
    ),
  });
}

// What protobufjs decodes has the shape of the .proto file: required fields are there, repeated ones are
// arrays. Optional fields are own properties only when they were on the wire.
type Wire<T> = { readonly [Field in keyof T]: T[Field] };
type WireTimestamp = { readonly seconds: number | { toNumber(): number }; readonly nanos: number };
type WireRelease = Omit<RegistryRelease, "retired" | "publishedAt"> & {
  readonly retired?: { readonly reason: number; readonly message?: string };
  readonly publishedAt?: WireTimestamp;
};

/** @throws {ProtoError} `protobuf_malformed` */
export function decodeNames(bytes: Uint8Array): RegistryNames {
  const wire = Names.decode(bytes) as unknown as Wire<RegistryNames> & {
    readonly packages: readonly { readonly name: string; readonly updatedAt?: WireTimestamp }[];
  };
  return {
    repository: wire.repository,
    packages: wire.packages.map(({ name, updatedAt }) => ({
      name,
      ...(updatedAt == null ? {} : { updatedAt: timestamp(updatedAt) }),
    })),
    ...revisionOf(wire),
  };
}

/** @throws {ProtoError} `protobuf_malformed` */
export function decodeVersions(bytes: Uint8Array): RegistryVersions {
  const wire = Versions.decode(bytes) as unknown as Wire<RegistryVersions>;
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
  const wire = Package.decode(bytes) as unknown as Omit<RegistryPackage, "releases" | "advisories"> & {
    readonly releases: readonly WireRelease[];
    readonly advisories: readonly (Omit<RegistryAdvisory, "severity"> & { readonly severity?: number })[];
  };
  return {
    repository: wire.repository,
    name: wire.name,
    releases: wire.releases.map(decodeRelease),
    advisories: wire.advisories.map((advisory) => ({
      ...own(advisory, ["id", "summary", "htmlUrl", "cvssScore", "apiUrl", "aliases"]),
      ...(Object.hasOwn(advisory, "severity")
        ? { severity: fromNumber(SEVERITIES, advisory.severity ?? 0) }
        : {}),
    })),
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
    ...(retired == null
      ? {}
      : { retired: { reason: fromNumber(REASONS, retired.reason), ...own(retired, ["message"]) } }),
    ...(publishedAt == null ? {} : { publishedAt: timestamp(publishedAt) }),
  };
}

/** @returns the fields that were on the wire; repeated fields count as there. */
function own<T extends object, Field extends keyof T>(wire: T, fields: readonly Field[]): Pick<T, Field> {
  const picked: Partial<T> = {};
  for (const field of fields) {
    if (Object.hasOwn(wire, field) || Array.isArray(wire[field])) picked[field] = wire[field];
  }
  return picked as Pick<T, Field>;
}

function timestamp(wire: WireTimestamp): RegistryTimestamp {
  return { seconds: toSafeNumber(wire.seconds), nanos: wire.nanos };
}

function revisionOf(wire: object): { readonly revision?: number } {
  if (!Object.hasOwn(wire, "revision")) return {};
  return { revision: toSafeNumber((wire as { revision: number | { toNumber(): number } }).revision) };
}

// Where the package `long` is installed, protobufjs gives 64-bit values as its objects.
function toSafeNumber(value: number | { toNumber(): number }): number {
  return typeof value === "number" ? value : value.toNumber();
}

function toNumber<T extends string>(names: readonly T[], value: T | number): number {
  return typeof value === "number" ? value : names.indexOf(value);
}

function fromNumber<T extends string>(names: readonly T[], value: number): T | number {
  return names[value] ?? value;
}
