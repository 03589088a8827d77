/** API keys in answers. */
import type { KeyRow } from "../../store/queries/keys.ts";
import { instant, instantOrNull } from "../../views/instant.ts";
import type { Urls } from "../../views/urls.ts";
import type { Principal } from "../auth/principal.ts";

/** @param secret only in the answer that makes the key */
export function keyView(key: KeyRow, principal: Principal, urls: Urls, secret: string | null = null): object {
  const own =
    principal.kind !== "none" &&
    principal.credential.kind === "key" &&
    principal.credential.key.id === key.id;
  return {
    name: key.name,
    authing_key: own,
    secret,
    permissions: key.permissions.map(({ domain, resource }) => ({ domain, resource })),
    revoke_at: instantOrNull(key.revokeAt),
    inserted_at: instant(key.insertedAt),
    updated_at: instant(key.updatedAt),
    url: urls.api(`keys/${encodeURIComponent(key.name)}`),
    // Clients that find it take all three for granted.
    ...(key.lastUsedAt === null
      ? {}
      : {
          last_use: {
            used_at: instant(key.lastUsedAt),
            ip: key.lastUsedIp ?? "",
            user_agent: key.lastUsedAgent ?? "",
          },
        }),
  };
}
