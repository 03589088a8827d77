/** The rules for a package's name and metadata at publish. Pure. */
import { licenseProblem } from "../../hex/licenses.ts";
import type { PackageMetadata } from "../../hex/metadata/metadata.ts";
import { isJson } from "../../hex/metadata/value.ts";
import type { PackageMeta } from "../../store/queries/packages.ts";
import type { ValidationErrors } from "../http/errors.ts";
import { BLANK, FieldErrors, isBlank, isObject, isTextList } from "./errors.ts";

export type RuleSet = "hexpm" | "relaxed";

/** @returns the errors below `meta`, undefined for none. */
export function packageMetaErrors(metadata: PackageMetadata, rules: RuleSet): ValidationErrors | undefined {
  const errors = new FieldErrors();
  errors.add("description", descriptionProblem(metadata.description, rules));
  errors.add("licenses", licensesProblem(metadata.licenses, rules));
  errors.add("links", linksProblem(metadata.links));
  if (!isBlank(metadata.maintainers) && !isTextList(metadata.maintainers)) {
    errors.add("maintainers", "expected type list(string)");
  }
  if (!isBlank(metadata.extra) && !(isObject(metadata.extra) && isJson(metadata.extra))) {
    errors.add("extra", "expected type map");
  }
  return errors.value;
}

function descriptionProblem(value: unknown, rules: RuleSet): string | undefined {
  if (isBlank(value)) return rules === "hexpm" ? BLANK : undefined;
  return typeof value === "string" ? undefined : "expected type string";
}

function licensesProblem(value: unknown, rules: RuleSet): string | undefined {
  if (isBlank(value)) return rules === "hexpm" ? BLANK : undefined;
  if (!isTextList(value)) return "expected type list(string)";
  if (rules === "relaxed") return undefined;
  return value.map(licenseProblem).find((problem) => problem !== undefined);
}

function linksProblem(value: unknown): string | undefined {
  if (isBlank(value)) return undefined;
  if (!isObject(value) || !Object.values(value).every((link) => typeof link === "string")) {
    return "expected type map(string)";
  }
  const bad = Object.values(value).find((link) => !isWebLink(String(link)));
  return bad === undefined ? undefined : `invalid link ${JSON.stringify(bad)}`;
}

// Anything else would become a link of a page: `javascript:` for example.
function isWebLink(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (protocol === "http:" || protocol === "https:") && hostname !== "";
}

/** @returns the metadata as they are stored. They have passed {@link packageMetaErrors}. */
export function packageMeta(metadata: PackageMetadata): PackageMeta {
  const { description, licenses, links, maintainers, extra } = metadata;
  return {
    description: typeof description === "string" && !isBlank(description) ? description : null,
    licenses: isTextList(licenses) ? licenses : [],
    links: isObject(links)
      ? Object.fromEntries(Object.entries(links).map(([name, url]) => [name, String(url)]))
      : {},
    maintainers: isTextList(maintainers) ? maintainers : [],
    ...(isObject(extra) ? { extra } : {}),
  };
}
