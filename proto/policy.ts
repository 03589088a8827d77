/** A policy: which releases an organization lets its members resolve; `repos/ORG/policies/NAME`. */
import {
  type AdvisorySeverity,
  advisorySeverities,
  type OverrideAction,
  overrideActions,
  type PolicyVisibility,
  policyVisibilities,
  type RetirementReason,
  retirementReasons,
} from "./enums.ts";
import { messageType } from "./schema.ts";
import { own, revisionOf } from "./wire.ts";

export interface PolicyRestriction {
  /** Denies releases with an advisory of this severity or a higher one. */
  readonly advisoryMinSeverity?: AdvisorySeverity;
  /** Denies releases that are retired for one of these reasons. */
  readonly retirementReasons: readonly RetirementReason[];
  /** The least age of a release, as Hex writes durations: `7d`, `2w`, `1mo`, `0`. */
  readonly cooldown?: string;
}

export interface PolicyOverride {
  readonly action: OverrideAction;
  /** Without a requirement: every version. */
  readonly ref: { readonly package: string; readonly requirement?: string };
  /** Of `advisory`: the advisory, or an alias of it, that is lifted. */
  readonly advisoryId?: string;
  /** Of `retirement`: the reason that is lifted. */
  readonly retirementReason?: RetirementReason;
  /** Why, for people. */
  readonly comment?: string;
}

export interface RepositoryPolicy {
  readonly repository: string;
  readonly restriction?: PolicyRestriction;
  readonly overrides: readonly PolicyOverride[];
}

export interface RegistryPolicy {
  readonly repository: string;
  readonly name: string;
  readonly description?: string;
  readonly visibility: PolicyVisibility;
  /** One for each repository that is constrained. */
  readonly repositories: readonly RepositoryPolicy[];
  /** Our counter; absent in files of other programs. */
  readonly revision?: number;
}

const Policy = messageType("Policy");

export function encodePolicy(policy: RegistryPolicy): Uint8Array {
  return Policy.encode({
    ...policy,
    visibility: policyVisibilities.toNumber(policy.visibility),
    repositories: policy.repositories.map((entry) => ({
      ...entry,
      ...(entry.restriction ? { restriction: encodableRestriction(entry.restriction) } : {}),
      overrides: entry.overrides.map(encodableOverride),
    })),
  });
}

function encodableOverride(override: PolicyOverride): object {
  const { action, retirementReason } = override;
  return {
    ...override,
    action: overrideActions.toNumber(action),
    ...(retirementReason === undefined
      ? {}
      : { retirementReason: retirementReasons.toNumber(retirementReason) }),
  };
}

function encodableRestriction(restriction: PolicyRestriction): object {
  const { advisoryMinSeverity } = restriction;
  return {
    ...restriction,
    ...(advisoryMinSeverity === undefined
      ? {}
      : { advisoryMinSeverity: advisorySeverities.toNumber(advisoryMinSeverity) }),
    retirementReasons: restriction.retirementReasons.map(retirementReasons.toNumber),
  };
}

// What protobufjs decodes has the shape of the .proto file, with numbers for enumerations.
interface WireRestriction {
  readonly advisoryMinSeverity?: number;
  readonly retirementReasons: readonly number[];
  readonly cooldown?: string;
}
type WireOverride = Omit<PolicyOverride, "action" | "retirementReason"> & {
  readonly action: number;
  readonly retirementReason?: number;
};
interface WireRepositoryPolicy {
  readonly repository: string;
  readonly restriction?: WireRestriction | null;
  readonly overrides: readonly WireOverride[];
}
type WirePolicy = Omit<RegistryPolicy, "visibility" | "repositories"> & {
  readonly visibility: number;
  readonly repositories: readonly WireRepositoryPolicy[];
};

/** @throws {ProtoError} `protobuf_malformed` */
export function decodePolicy(bytes: Uint8Array): RegistryPolicy {
  const wire = Policy.decode(bytes) as unknown as WirePolicy;
  return {
    ...own(wire, ["repository", "name", "description"]),
    visibility: policyVisibilities.fromNumber(wire.visibility),
    repositories: wire.repositories.map(({ repository, restriction, overrides }) => ({
      repository,
      ...(restriction ? { restriction: decodeRestriction(restriction) } : {}),
      overrides: overrides.map(decodeOverride),
    })),
    ...revisionOf(wire),
  };
}

function decodeOverride(wire: WireOverride): PolicyOverride {
  const { retirementReason } = own(wire, ["retirementReason"]);
  return {
    action: overrideActions.fromNumber(wire.action),
    ref: own(wire.ref, ["package", "requirement"]),
    ...own(wire, ["advisoryId"]),
    ...(retirementReason === undefined
      ? {}
      : { retirementReason: retirementReasons.fromNumber(retirementReason) }),
    ...own(wire, ["comment"]),
  };
}

function decodeRestriction(wire: WireRestriction): PolicyRestriction {
  const { advisoryMinSeverity } = own(wire, ["advisoryMinSeverity"]);
  return {
    ...(advisoryMinSeverity === undefined
      ? {}
      : { advisoryMinSeverity: advisorySeverities.fromNumber(advisoryMinSeverity) }),
    retirementReasons: wire.retirementReasons.map(retirementReasons.fromNumber),
    ...own(wire, ["cooldown"]),
  };
}
