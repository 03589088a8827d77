/** Who asks, and with what. */
import type { KeyPermission, KeyRow } from "../../store/queries/keys.ts";
import type { OrganizationRow } from "../../store/queries/organizations.ts";
import type { UserRow } from "../../store/queries/users.ts";

export type Credential =
  | { readonly kind: "basic"; readonly verified: boolean }
  | { readonly kind: "key"; readonly key: KeyRow }
  /** A token of the OAuth flows. */
  | { readonly kind: "oauth"; readonly scopes: readonly string[]; readonly sessionId: number };

export type Principal =
  | { readonly kind: "none" }
  | { readonly kind: "user"; readonly user: UserRow; readonly credential: Credential }
  | {
      readonly kind: "organization";
      readonly organization: OrganizationRow;
      readonly credential: Credential;
    };

/** What an endpoint demands of a credential; any one of a list suffices. */
export type Requirement =
  | { readonly domain: "api"; readonly resource: "read" | "write" | null }
  /** `resource` is `REPOSITORY/NAME` of a package that exists. */
  | { readonly domain: "package"; readonly resource: string | null }
  | { readonly domain: "repository" | "docs"; readonly resource: string }
  | { readonly domain: "repositories" };

export type { KeyPermission };
