/** What a row of the route table says. The pipeline and the tests walk the same table. */
import type { Handler } from "./call.ts";

export type Permission =
  | "none"
  | "read" // api:read
  | "write" // api:write
  | "publish"; // api:write, or package with this package

export interface Route {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the API's root. */
  readonly path: string;
  /** Also under `/repos/:repository`. */
  readonly scoped?: boolean;
  /** Anonymous callers get 401, and not what the rule says. */
  readonly authenticated?: boolean;
  readonly permission: Permission;
  /** Who may, once authenticated and permitted. */
  readonly rule?:
    | "readers" // of the repository
    | "maintainer" // of the package
    | "full-owner"
    | "user"
    | "member" // of the organization, or the organization itself
    | "writing-member"
    | "organization-admin";
  /** Refused while the organization of a private repository does not pay. */
  readonly billing?: boolean;
  /** Open to accounts whose address is not verified. */
  readonly unverified?: boolean;
  /** The body is raw bytes. */
  readonly upload?: boolean;
  /** Cache-Control of a success. */
  readonly cache?: "public" | "private";
  /** A change that goes on in read-only mode; its handler asks `deps.readOnly` what it may do. */
  readonly inReadOnly?: boolean;
  /** ETag and 304. */
  readonly conditional?: boolean;
  readonly handler: Handler;
}
