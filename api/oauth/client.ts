/** Which program asks. */
import type { GrantType, OAuthClientRow } from "../../store/queries/oauth-clients.ts";
import { oauthClient } from "../../store/queries/oauth-clients.ts";
import { sameSecret } from "../auth/key-secret.ts";
import { hashToken } from "../auth/token-hash.ts";
import { type Call, textParameter } from "../call.ts";
import type { ApiDependencies } from "../settings.ts";
import { OAuthError } from "./errors.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** @returns the client of that id, undefined for a text that is none. */
export async function findClient(
  { sql }: Pick<ApiDependencies, "sql">,
  clientId: string,
): Promise<OAuthClientRow | undefined> {
  return UUID.test(clientId) ? oauthClient(sql, clientId.toLowerCase()) : undefined;
}

/**
 * @param grant that it must be allowed
 * @throws OAuthError `invalid_client`, `unauthorized_client`
 */
export async function requireClient(call: Call, grant: GrantType): Promise<OAuthClientRow> {
  const clientId = textParameter(call, "client_id");
  if (clientId === undefined) throw new OAuthError("invalid_client", "Missing client_id");
  const client = await findClient(call.deps, clientId);
  if (client === undefined) throw new OAuthError("invalid_client", "Invalid client");
  if (!client.grants.includes(grant)) {
    throw new OAuthError("unauthorized_client", "Client not authorized for this grant type");
  }
  return client;
}

/** As {@link requireClient}; one that can keep a secret must show it. */
export async function authenticateClient(call: Call, grant: GrantType): Promise<OAuthClientRow> {
  const client = await requireClient(call, grant);
  if (client.secretHash !== null) {
    const secret = textParameter(call, "client_secret") ?? "";
    if (!sameSecret(hashToken(secret), client.secretHash)) {
      throw new OAuthError("invalid_client", "Invalid client credentials");
    }
  }
  return client;
}
