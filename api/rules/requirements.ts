/** The rules for dependencies at publish, and where each of them lives. Pure. */
import { packageName, type RepositoryName } from "../../hex/ids.ts";
import type { MetadataRequirement, MetadataRequirements } from "../../hex/metadata/requirements.ts";
import { requirementProblem } from "../../hex/versions/limits.ts";
import type { RequirementRow } from "../../store/queries/registry.ts";
import type { ValidationErrors } from "../http/errors.ts";
import { BLANK, FieldErrors, isBlank } from "./errors.ts";

/** As for names of packages: no index of Postgres holds a longer one, and no file of ours may be called so. */
const LONGEST_NAME = 128;

/** What a dependency is judged by. */
export interface RequirementContext {
  /** The package's own repository. */
  readonly own: RepositoryName;
  /** Repositories whose packages we do not know; the first is the default. */
  readonly external: readonly RepositoryName[];
  /** Packages of our own repository, among the names that are required. */
  readonly existing: ReadonlySet<string>;
}

/** @returns one error for each dependency by its name, or one text for all of them. */
export function requirementErrors(
  requirements: MetadataRequirements | undefined,
  context: RequirementContext,
): string | ValidationErrors | undefined {
  if (requirements === undefined || requirements === "malformed") return "expected type list(map)";
  const errors = new FieldErrors();
  for (const requirement of requirements) errors.add(requirement.name, problemOf(requirement, context));
  return errors.value;
}

/** Of several problems the first in this order: type, blank, missing package, requirement, repository. */
function problemOf(requirement: MetadataRequirement, context: RequirementContext): string | undefined {
  return (
    typeProblem(requirement) ??
    blankProblem(requirement) ??
    missingProblem(requirement, context) ??
    requirementProblem(String(requirement.requirement)) ??
    repositoryProblem(requirement, context)
  );
}

function typeProblem({ app, requirement, optional, repository }: MetadataRequirement): string | undefined {
  for (const text of [app, requirement, repository]) {
    if (!isBlank(text) && typeof text !== "string") return "expected type string";
  }
  return optional === undefined || optional === null || typeof optional === "boolean"
    ? undefined
    : "expected type boolean";
}

function blankProblem({ app, requirement, optional }: MetadataRequirement): string | undefined {
  return isBlank(app) || isBlank(requirement) || optional === null ? BLANK : undefined;
}

function missingProblem(requirement: MetadataRequirement, context: RequirementContext): string | undefined {
  const repository = repositoryOf(requirement, context);
  const missing = repository === context.own && !context.existing.has(requirement.name);
  // A name that no registry could hold would make every file that lists it unreadable.
  const impossible = packageName(requirement.name) === undefined || requirement.name.length > LONGEST_NAME;
  return missing || impossible
    ? `package does not exist in repository ${JSON.stringify(repository)}`
    : undefined;
}

function repositoryProblem(
  requirement: MetadataRequirement,
  context: RequirementContext,
): string | undefined {
  const repository = repositoryOf(requirement, context);
  if (repository === context.own || context.external.some((name) => name === repository)) return undefined;
  const others = context.external.map((name) => ` or external repository ${JSON.stringify(name)}`).join("");
  const allowed = `public repository ${JSON.stringify(context.own)}${others}`;
  return `dependencies can only belong to ${allowed}, got: ${JSON.stringify(repository)}`;
}

/** A dependency without a repository is ours if we have it, and external else. */
function repositoryOf({ name, repository }: MetadataRequirement, context: RequirementContext): string {
  if (!isBlank(repository)) return String(repository);
  return context.existing.has(name) ? context.own : (context.external[0] ?? context.own);
}

/** @returns the rows to store. They have passed {@link requirementErrors}. */
export function requirementRows(
  requirements: readonly MetadataRequirement[],
  context: RequirementContext,
): readonly RequirementRow[] {
  return requirements.map((requirement) => {
    const name = packageName(requirement.name);
    const where = repositoryOf(requirement, context);
    const repository = [context.own, ...context.external].find((known) => known === where);
    // A dependency that was validated must never be left out in silence.
    if (name === undefined || repository === undefined)
      throw new TypeError("requirements were not validated");
    return {
      repository,
      package: name,
      app: String(requirement.app),
      requirement: String(requirement.requirement),
      optional: requirement.optional === true,
    };
  });
}
