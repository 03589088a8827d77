/** `GET /auth`: whether a credential may do something, asked by CDNs and clients. */
import { ownedRepository } from "../../store/queries/organizations.ts";
import { authorize, requireBilling, roleIn } from "../auth/authorization.ts";
import { permits } from "../auth/permissions.ts";
import type { Credential, Requirement } from "../auth/principal.ts";
import { type Call, type Handler, textParameter } from "../call.ts";
import { badRequest, forbidden, unauthorized } from "../http/errors.ts";

type Restricted = Exclude<Credential, { kind: "basic" }>;

export const checkAuth: Handler = async (call) => {
  const domain = textParameter(call, "domain");
  if (domain === undefined) throw badRequest('missing required parameters: "domain"');
  await authorize(call);
  const { principal } = call;
  if (principal.kind === "none") throw unauthorized("missing authentication information");
  const { credential } = principal;
  const query = new URL(call.request.url).searchParams.get("resource");
  if (credential.kind === "basic" || !isPermitted(credential, domain, query)) {
    throw unauthorized("key not authorized for this action");
  }
  await requireOwnAccess(call, domain, query);
  if (credential.kind === "oauth") return { status: 204 };
  const owner =
    principal.kind === "user"
      ? { type: "user", name: principal.user.username }
      : { type: "organization", name: principal.organization.name };
  return { status: 200, body: { key: { name: credential.key.name, owner } } };
};

/** What the credential may, its owner must be able to. @throws ApiError 403 */
async function requireOwnAccess(call: Call, domain: string, resource: string | null): Promise<void> {
  const { principal } = call;
  const { sql } = call.deps;
  if (domain === "api" || domain === "repositories") return;
  if (principal.kind === "user" && principal.user.service) return;
  if (domain !== "repository" && domain !== "docs") throw forbidden();
  const repository = await ownedRepository(sql, resource ?? "");
  if (repository?.public) return;
  const organization = repository?.organization ?? undefined;
  if ((await roleIn(principal, organization?.id, sql)) === undefined) throw forbidden();
  requireBilling(organization);
}

/** Basic has no restriction anywhere else; here it is asked what a key or a token may do. */
function isPermitted(credential: Restricted, domain: string, resource: string | null): boolean {
  if (domain === "api" && resource !== null && resource !== "read" && resource !== "write") {
    // A full permission covers whatever is named; an empty `resource=` is a name, and not a missing one.
    return credential.kind === "key"
      ? credential.key.permissions.some((own) => own.domain === "api" && own.resource === null)
      : credential.scopes.includes("api");
  }
  const requirement = requirementOf(domain, resource);
  return requirement !== undefined && permits(credential, [requirement]);
}

function requirementOf(domain: string, resource: string | null): Requirement | undefined {
  switch (domain) {
    case "api":
      return { domain, resource: resource === "write" ? "write" : "read" };
    case "repositories":
      return resource === null ? { domain } : undefined;
    case "repository":
    case "docs":
      return resource === null ? undefined : { domain, resource };
    case "package":
      return { domain, resource };
    default:
      return undefined;
  }
}
