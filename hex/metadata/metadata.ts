/**
 * `metadata.config` as the values that a publish is about. The two encodings of requirements, and lists
 * of pairs where a map is meant, are brought into one shape; the rules of publishing are not applied
 * here, so every value may still be of the wrong type.
 */
import { TermError } from "../terms/errors.ts";
import { readTerms } from "../terms/reader.ts";
import type { Term } from "../terms/term.ts";
import { guessBuildTools } from "./build-tools.ts";
import { MetadataError } from "./errors.ts";
import { type MetadataRequirements, readRequirements } from "./requirements.ts";
import { type MetadataValue, objectOf, pairOf, proplist, textOf, toValue } from "./value.ts";

/** A key that is not in the file is not in here; `undefined` and `nil` in the file are null. */
export interface PackageMetadata {
  readonly name?: MetadataValue;
  readonly version?: MetadataValue;
  readonly app?: MetadataValue;
  readonly description?: MetadataValue;
  readonly licenses?: MetadataValue;
  /** An object when it was a map or a list of pairs. */
  readonly links?: MetadataValue;
  readonly maintainers?: MetadataValue;
  readonly files?: MetadataValue;
  /** From the file when it is a list there; otherwise what the names in `files` suggest. */
  readonly buildTools?: MetadataValue;
  readonly elixir?: MetadataValue;
  /** Objects on every level where it was a map or a list of pairs; an empty list is an empty object. */
  readonly extra?: MetadataValue;
  readonly requirements?: MetadataRequirements;
}

/**
 * @param bytes the whole of `metadata.config`, under the size limit of tarballs
 * @returns what the file says; of a key that is there twice, the last value.
 * @throws {MetadataError} whose message continues "error reading package metadata: ".
 */
export function readMetadata(bytes: Uint8Array): PackageMetadata {
  const terms = byKey(consult(bytes));
  const metadata: { -readonly [Key in keyof PackageMetadata]: PackageMetadata[Key] } = {};
  for (const key of PLAIN_KEYS) {
    const term = terms.get(key);
    if (term !== undefined) metadata[key] = toValue(term);
  }
  const links = terms.get("links");
  if (links !== undefined) metadata.links = mapOf(links);
  const extra = terms.get("extra");
  if (extra !== undefined) metadata.extra = nestedMapOf(extra);
  const requirements = terms.get("requirements");
  if (requirements !== undefined) metadata.requirements = readRequirements(requirements);
  const buildTools = readBuildTools(terms.get("build_tools"), metadata.files);
  if (buildTools !== undefined) metadata.buildTools = buildTools;
  return metadata;
}

const PLAIN_KEYS = [
  "name",
  "version",
  "app",
  "description",
  "licenses",
  "maintainers",
  "files",
  "elixir",
] as const;

function consult(bytes: Uint8Array): Term[] {
  try {
    const terms = readTerms(bytes);
    if (terms.length > 0) return terms;
  } catch (error) {
    if (!(error instanceof TermError)) throw error;
    throw new MetadataError("invalid_terms", error.message, { cause: error });
  }
  throw new MetadataError("invalid_terms", "invalid terms");
}

function byKey(terms: readonly Term[]): Map<string, Term> {
  const values = new Map<string, Term>();
  for (const term of terms) {
    const [key, value] = pairOf(term) ?? [];
    if (key?.kind !== "binary" || value === undefined) {
      throw new MetadataError("not_key_value", "not in key-value format");
    }
    values.set(textOf(key.bytes), value);
  }
  return values;
}

function mapOf(term: Term): MetadataValue {
  const pairs = proplist(term);
  return (pairs && objectOf(pairs)) ?? toValue(term);
}

function nestedMapOf(term: Term): MetadataValue {
  const pairs = proplist(term);
  const object = pairs && objectOf(pairs, nestedMapOf);
  if (object !== undefined) return object;
  return term.kind === "list" ? term.items.map(nestedMapOf) : toValue(term);
}

function readBuildTools(term: Term | undefined, files: MetadataValue | undefined): MetadataValue | undefined {
  if (term?.kind !== "list" && Array.isArray(files)) return guessBuildTools(files);
  return term && toValue(term);
}
