/**
 * Branded identifiers. A value of one of these types has passed its check, so code that takes one
 * need not check again. The functions named after the types parse; nothing else may produce them.
 */

declare const brand: unique symbol;
type Brand<T, Name extends string> = T & { readonly [brand]: Name };

/** A package's name: `^[a-z][a-z0-9_]*$`. Length and reservation are rules of publishing, see `names.ts`. */
export type PackageName = Brand<string, "PackageName">;
/** A repository's name, as it stands in registry payloads and under `repos/`. */
export type RepositoryName = Brand<string, "RepositoryName">;
/** A policy's name, as it stands under `policies/`. */
export type PolicyName = Brand<string, "PolicyName">;
/** A version in the form of Elixir's `Version`, without build metadata when it was published. */
export type Version = Brand<string, "Version">;
/** A SHA-256 as 64 lowercase hexadecimal digits. */
export type Sha256 = Brand<string, "Sha256">;

const PACKAGE_NAME = /^[a-z][a-z0-9_]*$/;
const REPOSITORY_NAME = /^[a-z0-9_\-.]+$/;
const POLICY_NAME = /^[a-z0-9_][a-z0-9_-]{0,99}$/;
const SHA256 = /^[0-9a-f]{64}$/;
// SemVer 2.0.0, with all three numbers (Elixir's Version.parse/1).
const VERSION =
  /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*))*)?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;

/** @returns the text as a package name, or undefined when it is not one. */
export function packageName(text: string): PackageName | undefined {
  return PACKAGE_NAME.test(text) ? (text as PackageName) : undefined;
}

/**
 * Organization names follow the rule of usernames; `.` and `..` would name other folders,
 * so they are no repository names.
 * @returns the text as a repository name, or undefined when it is not one.
 */
export function repositoryName(text: string): RepositoryName | undefined {
  return REPOSITORY_NAME.test(text) && !/^\.+$/.test(text) ? (text as RepositoryName) : undefined;
}

/** @returns the text as a policy's name, or undefined when it is not one. */
export function policyName(text: string): PolicyName | undefined {
  return POLICY_NAME.test(text) ? (text as PolicyName) : undefined;
}

// Far beyond any that can be published; keeps a hostile file from exhausting the regular expression's stack.
const LONGEST_VERSION = 1_000_000;

/** @returns the text as a version, or undefined when Elixir's `Version.parse/1` would refuse it. */
export function version(text: string): Version | undefined {
  return text.length <= LONGEST_VERSION && VERSION.test(text) ? (text as Version) : undefined;
}

/** @returns the text as a SHA-256, or undefined unless it is 64 lowercase hexadecimal digits. */
export function sha256(text: string): Sha256 | undefined {
  return SHA256.test(text) ? (text as Sha256) : undefined;
}

/**
 * For text that this project has checked before: a database column, a literal.
 * @returns what `parse` makes of it.
 * @throws {TypeError} when it is not valid after all, which is a defect and not an input error.
 */
export function trusted<T>(parse: (text: string) => T | undefined, text: string): T {
  const value = parse(text);
  if (value === undefined) throw new TypeError(`not a valid ${parse.name}: ${JSON.stringify(text)}`);
  return value;
}
