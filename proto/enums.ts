/** The enumerations of registry files, by name. A number that has no name yet is kept as it is. */

const REASONS = ["other", "invalid", "security", "deprecated", "renamed"] as const;
/** Why a release is retired. */
export type RetirementReason = (typeof REASONS)[number] | number;

const SEVERITIES = ["none", "low", "medium", "high", "critical"] as const;
/** As CVSS 3.1 names its ratings. */
export type AdvisorySeverity = (typeof SEVERITIES)[number] | number;

const VISIBILITIES = ["private", "public"] as const;
/** Who may read a policy; an unknown number means private. */
export type PolicyVisibility = (typeof VISIBILITIES)[number] | number;

const ACTIONS = ["allow", "deny", "advisory", "retirement", "cooldown"] as const;
/** Allow and deny decide alone; the others lift one restriction. */
export type OverrideAction = (typeof ACTIONS)[number] | number;

/** Between names, which stand in the order of their numbers from 0, and numbers. */
interface EnumCodec<T> {
  toNumber(value: T): number;
  fromNumber(value: number): T;
}

function enumCodec<Name extends string>(names: readonly Name[]): EnumCodec<Name | number> {
  return {
    toNumber: (value) => (typeof value === "number" ? value : names.indexOf(value)),
    fromNumber: (value) => names[value] ?? value,
  };
}

export const retirementReasons = enumCodec(REASONS);
export const advisorySeverities = enumCodec(SEVERITIES);
export const policyVisibilities = enumCodec(VISIBILITIES);
export const overrideActions = enumCodec(ACTIONS);
