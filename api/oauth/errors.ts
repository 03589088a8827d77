/** Errors of the OAuth endpoints, which have a form of their own (RFC 6749, 5.2; RFC 8628, 3.5). */
import type { Handler } from "../call.ts";

const STATUSES = {
  invalid_request: 400,
  invalid_client: 401,
  invalid_grant: 400,
  unauthorized_client: 400,
  unsupported_grant_type: 400,
  invalid_scope: 400,
  expired_token: 400,
  authorization_pending: 400,
  access_denied: 403,
} as const;

export type OAuthErrorCode = keyof typeof STATUSES;

export class OAuthError extends Error {
  readonly code: OAuthErrorCode;

  /** @param description shown to people */
  constructor(code: OAuthErrorCode, description: string) {
    super(description);
    this.name = "OAuthError";
    this.code = code;
  }
}

/** @returns a handler whose {@link OAuthError}s are its answers. */
export function answeringErrors(handler: Handler): Handler {
  return async (call) => {
    try {
      return await handler(call);
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error;
      const body = { error: error.code, error_description: error.message };
      return { status: STATUSES[error.code], body };
    }
  };
}
