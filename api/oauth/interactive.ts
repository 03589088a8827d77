/** Sessions that a person has agreed to: the audit log names them. */
import type { Transaction } from "../../store/postgres/pool.ts";
import { audit } from "../../store/queries/audit.ts";
import type { UserRow } from "../../store/queries/users.ts";
import { beginSession, type NewSession, type Session } from "./issue.ts";

export interface InteractiveSession extends Omit<NewSession, "bearer"> {
  readonly user: UserRow;
  readonly client: { readonly clientId: string; readonly name: string };
}

export async function beginInteractiveSession(
  tx: Transaction,
  { user, ...session }: InteractiveSession,
): Promise<Session> {
  const begun = await beginSession(tx, { ...session, bearer: { kind: "user", user } });
  const { client, name = null, scopes, ip, userAgent } = session;
  const params = { id: begun.id, type: "oauth", name, client: client.name, scopes };
  await audit(tx, {
    action: "session.create",
    params,
    userId: user.id,
    keyId: null,
    userAgent,
    remoteIp: ip,
  });
  return begun;
}
