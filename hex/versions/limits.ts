/** What may be published, beyond being a version or a requirement at all. */
import { parseRequirement } from "./requirement.ts";
import { parseVersion } from "./version.ts";

const MAX_NUMBER = "99999999999999";
const MAX_PRE_BYTES = 64;
const NUMERIC = /^\d+$/;

/**
 * @param text the version of a release to publish
 * @returns why it may not be published, in the words of the Hex API; of several reasons the last of: no
 * version, build metadata, numbers of more than 14 digits, a pre-release of more than 64 bytes.
 */
export function versionProblem(text: string): string | undefined {
  const version = parseVersion(text);
  if (version === undefined) return "is invalid SemVer";
  const numbers = [...version.numbers, ...version.pre.filter((identifier) => NUMERIC.test(identifier))];
  if (version.pre.join(".").length > MAX_PRE_BYTES) {
    return `prerelease must be at most ${MAX_PRE_BYTES} characters`;
  }
  if (numbers.some((number) => number.length > MAX_NUMBER.length)) {
    return `numeric components must be at most ${MAX_NUMBER}`;
  }
  return version.build === "" ? undefined : "build number not allowed";
}

/**
 * @param text what a release requires of a dependency, or of Elixir
 * @returns why it may not be published, in the words of the Hex API. Excluding a version is not allowed, by
 * `!=` or by its older spelling `!`.
 */
export function requirementProblem(text: string): string | undefined {
  const invalid = `invalid requirement: ${JSON.stringify(text)}`;
  const requirement = parseRequirement(text);
  if (requirement === undefined) return invalid;
  const operators = requirement.alternatives.flat().map(({ operator }) => operator);
  if (operators.includes("!=")) return `${invalid}, != is not allowed in requirements`;
  return operators.includes("!") ? invalid : undefined;
}
