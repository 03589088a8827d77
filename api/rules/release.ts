/** The rules for a release's own metadata at publish. Pure. */
import type { PackageMetadata } from "../../hex/metadata/metadata.ts";
import { requirementProblem, versionProblem } from "../../hex/versions/limits.ts";
import type { ReleaseMeta } from "../../store/queries/releases.ts";
import type { ValidationErrors } from "../http/errors.ts";
import { BLANK, FieldErrors, isBlank, isTextList } from "./errors.ts";

/** @returns errors by field: `version` and those below `meta`. */
export function releaseErrors(version: string, metadata: PackageMetadata): FieldErrors {
  const errors = new FieldErrors();
  errors.add("version", versionProblem(version));
  errors.add("meta", releaseMetaErrors(metadata));
  return errors;
}

function releaseMetaErrors(metadata: PackageMetadata): ValidationErrors | undefined {
  const errors = new FieldErrors();
  errors.add("app", appProblem(metadata.app));
  errors.add("build_tools", buildToolsProblem(metadata.buildTools));
  errors.add("files", filesProblem(metadata.files));
  errors.add("elixir", elixirProblem(metadata.elixir));
  return errors.value;
}

function appProblem(value: unknown): string | undefined {
  if (isBlank(value)) return BLANK;
  return typeof value === "string" ? undefined : "expected type string";
}

function buildToolsProblem(value: unknown): string | undefined {
  if (isBlank(value) || (Array.isArray(value) && value.length === 0)) return BLANK;
  return isTextList(value) ? undefined : "expected type list(string)";
}

function filesProblem(value: unknown): string | undefined {
  if (isBlank(value)) return BLANK;
  if (!Array.isArray(value)) return "expected type list(string)";
  return value.length === 0 ? "package can't be empty" : undefined;
}

function elixirProblem(value: unknown): string | undefined {
  if (isBlank(value)) return undefined;
  if (typeof value !== "string") return "expected type string";
  const problem = requirementProblem(value);
  return problem?.startsWith("invalid requirement") ? problem : undefined;
}

/** @returns the metadata as they are stored. They have passed {@link releaseErrors}. */
export function releaseMeta(metadata: PackageMetadata): ReleaseMeta {
  return {
    app: String(metadata.app),
    build_tools: isTextList(metadata.buildTools) ? [...new Set(metadata.buildTools)] : [],
    elixir: typeof metadata.elixir === "string" && !isBlank(metadata.elixir) ? metadata.elixir : null,
  };
}
