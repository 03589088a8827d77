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
  readonly public: KnownRepository;
  /** Repositories whose packages we do not know; the first is the default. */
  readonly external: readonly RepositoryName[];
  /** The package's own repository, when that is a private one. */
  readonly current?: KnownRepository;
}

export interface KnownRepository {
  readonly name: RepositoryName;
  /** Its packages among the names that are required. */
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
  const known = knownRepositories(context).find(({ name }) => name === repository);
  const missing = known !== undefined && !known.existing.has(requirement.name);
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
  if (allowedRepositories(context).some((name) => name === repository)) return undefined;
  const allowed = [
    `public repository ${JSON.stringify(context.public.name)}`,
    ...context.external.map((name) => `external repository ${JSON.stringify(name)}`),
    ...(context.current === undefined ? [] : [`current repository ${JSON.stringify(context.current.name)}`]),
  ].join(" or ");
  return `dependencies can only belong to ${allowed}, got: ${JSON.stringify(repository)}`;
}

/**
 * A dependency without a repository is ours if we have it, and external else. A private package means one of its own
 * repository before one of the public repository (attack: somebody publishes the name of a private package there).
 */
function repositoryOf({ name, repository }: MetadataRequirement, context: RequirementContext): string {
  if (!isBlank(repository)) return String(repository);
  const known = knownRepositories(context).find(({ existing }) => existing.has(name));
  return known?.name ?? context.external[0] ?? context.public.name;
}

function knownRepositories({ current, public: parent }: RequirementContext): readonly KnownRepository[] {
  return current === undefined ? [parent] : [current, parent];
}

function allowedRepositories(context: RequirementContext): readonly RepositoryName[] {
  return [...knownRepositories(context).map(({ name }) => name), ...context.external];
}

/** @returns the rows to store. They have passed {@link requirementErrors}. */
export function requirementRows(
  requirements: readonly MetadataRequirement[],
  context: RequirementContext,
): readonly RequirementRow[] {
  return requirements.map((requirement) => {
    const name = packageName(requirement.name);
    const where = repositoryOf(requirement, context);
    const repository = allowedRepositories(context).find((known) => known === where);
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
