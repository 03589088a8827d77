/**
 * From objects as they should be and as they are to what has to be done. Pure.
 */
import type { PackageName, RepositoryName, Sha256 } from "../../hex/ids.ts";
import { parseObjectKey } from "../../hex/keys.ts";
import type { DesiredObject } from "../build/objects.ts";
import { type CurrentObject, isUnchanged } from "./metadata.ts";

/** A key that is to hold an object. */
export interface Put {
  readonly desired: DesiredObject;
  /** What it replaces. */
  readonly known: CurrentObject | undefined;
}

/** A key that is to be empty. */
export interface Removal {
  readonly key: string;
  readonly package: PackageName | null;
  readonly known: CurrentObject;
}

export interface Plan {
  readonly puts: readonly Put[];
  /** Right already, but not in our books. */
  readonly adopt: readonly { readonly desired: DesiredObject; readonly known: CurrentObject }[];
  /** To be deleted in this build, after the files that name them were written. */
  readonly removals: readonly Removal[];
  /** Tarballs and docs of releases that are gone: to be deleted after a grace. */
  readonly retire: readonly (Removal & { readonly package: PackageName })[];
  /** In our books, but neither wanted nor there. */
  readonly forget: readonly string[];
  /** Tarballs and docs that a row stands behind: no deletion of theirs may go on. */
  readonly live: readonly string[];
}

export interface PlanInput {
  readonly desired: readonly DesiredObject[];
  /** What stands under a key, looked at or by our books; a key that is missing here is empty. */
  readonly current: ReadonlyMap<string, CurrentObject>;
  /** Keys in our books, with the hash that stands there. */
  readonly recorded: ReadonlyMap<string, CurrentObject>;
  /** Whether a key of that private repository, or of the public one, is where this repository lies. */
  readonly isOwn: (privateRepository: RepositoryName | undefined) => boolean;
  /** Whether a release has a row, held back or not. */
  readonly isLive: (name: PackageName, version: string) => boolean;
}

export function planWrites(input: PlanInput): Plan {
  const wanted = new Map(input.desired.map((desired) => [desired.key, desired]));
  const puts: Put[] = [];
  const adopt: { desired: DesiredObject; known: CurrentObject }[] = [];
  for (const desired of input.desired) {
    const known = input.current.get(desired.key);
    if (known === undefined || !isUnchanged(known, desired)) puts.push({ desired, known });
    else if (!sameRecord(input.recorded.get(desired.key), known)) adopt.push({ desired, known });
  }

  const removals: Removal[] = [];
  const retire: (Removal & { package: PackageName })[] = [];
  for (const [key, known] of input.current) {
    if (wanted.has(key)) continue;
    const whole = parseObjectKey(key);
    if (whole === undefined) continue;
    const parsed = whole.object;
    const isOwn = input.isOwn(whole.privateRepository);
    if (!("package" in parsed)) {
      // A policy that is gone, or what the repository had under an earlier name.
      if (parsed.kind === "policy" || !isOwn) removals.push({ key, package: null, known });
      continue;
    }
    const isBlob = parsed.kind === "tarball" || parsed.kind === "docs";
    const live = isBlob && isOwn && input.isLive(parsed.package, parsed.version);
    // A release that is held back: whatever stands there was published once, and its row still refers to it.
    if (parsed.kind === "tarball" && live) continue;
    const removal = { key, package: parsed.package, known };
    // A registry file may still name the tarball of a release that is gone, in a cache or a client. Docs
    // that were taken back, packages without a release, and JSON, are named by nothing.
    (isBlob && !live ? retire : removals).push(removal);
  }
  return {
    puts,
    adopt,
    removals,
    retire,
    forget: [...input.recorded.keys()].filter((key) => !wanted.has(key) && !input.current.has(key)),
    live: input.desired
      .filter(({ object }) => object.kind === "tarball" || object.kind === "docs")
      .map(({ key }) => key),
  };
}

function sameRecord(recorded: CurrentObject | undefined, known: CurrentObject): boolean {
  return (
    recorded !== undefined &&
    recorded.etag === known.etag &&
    isSameHash(recorded.payloadHash, known.payloadHash)
  );
}

function isSameHash(a: Sha256 | undefined, b: Sha256 | undefined): boolean {
  return a !== undefined && a === b;
}
