/** Messages as values that can be compared and read: bytes as hexadecimal digits, times as text, indexes as names. */
import type { RegistryPolicy } from "../policy.ts";
import type {
  RegistryAdvisory,
  RegistryDependency,
  RegistryNames,
  RegistryPackage,
  RegistryRelease,
  RegistryVersions,
} from "../registry.ts";
import type { RegistryTimestamp } from "../wire.ts";
import type { Value } from "./difference.ts";

export function packageValue(message: RegistryPackage): Value {
  const { repository, name, revision, releases, advisories } = message;
  return {
    repository,
    name,
    releases: byName(
      releases,
      ({ version }) => version,
      (release) => releaseValue(release, advisories),
    ),
    advisories: byName(advisories, ({ id }) => id, advisoryValue),
    revision,
  };
}

function releaseValue(release: RegistryRelease, advisories: readonly RegistryAdvisory[]): Value {
  const { innerChecksum, outerChecksum, dependencies, retired, advisoryIndexes, publishedAt } = release;
  return {
    innerChecksum: hex(innerChecksum),
    outerChecksum: outerChecksum && hex(outerChecksum),
    dependencies: byName(dependencies, ({ package: name }) => name, dependencyValue),
    retired: retired && { reason: retired.reason, message: retired.message },
    advisories: advisoryIndexes.map((index) => advisories[index]?.id ?? `index ${index}`),
    publishedAt: publishedAt && timeText(publishedAt),
  };
}

function dependencyValue({ package: _, ...rest }: RegistryDependency): Value {
  return rest;
}

function advisoryValue({ id: _, ...rest }: RegistryAdvisory): Value {
  return rest;
}

export function namesEntryValue({ updatedAt }: RegistryNames["packages"][number]): Value {
  return { updatedAt: updatedAt && timeText(updatedAt) };
}

export function versionsEntryValue(entry: RegistryVersions["packages"][number]): Value {
  const retired = new Set(entry.retired);
  const withAdvisories = new Set(entry.withAdvisories);
  const releases = entry.versions.map((version, index): [string, Value] => [
    version,
    { retired: retired.has(index), withAdvisories: withAdvisories.has(index) },
  ]);
  return { versions: new Map(releases) };
}

export function policyValue(message: RegistryPolicy): Value {
  const { repository, name, description, visibility, repositories, revision } = message;
  return {
    repository,
    name,
    description,
    visibility,
    repositories: byName(
      repositories,
      (entry) => entry.repository,
      ({ restriction, overrides }) => ({
        restriction: restriction && { ...restriction },
        overrides: overrides.map((override) => ({ ...override, ref: { ...override.ref } })),
      }),
    ),
    revision,
  };
}

/** Of two items with the same name the later one counts, as for a client that reads them in order. */
function byName<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  toValue: (item: T) => Value,
): ReadonlyMap<string, Value> {
  return new Map(items.map((item) => [nameOf(item), toValue(item)]));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** RFC 3339 with nine digits, also for times that no Date can hold. */
function timeText({ seconds, nanos }: RegistryTimestamp): string {
  const fraction = String(nanos).padStart(9, "0");
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return `${seconds}.${fraction}`;
  return `${date.toISOString().slice(0, 19)}.${fraction}Z`;
}
