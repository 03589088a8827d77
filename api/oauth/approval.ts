/** What a person decides on a page: to let a device in, or to send a browser back with a code. */
import { micros, microsOf } from "../../schemas/time.ts";
import { insertAuthorizationCode } from "../../store/queries/authorization-codes.ts";
import { authorizeDevice, type DeviceCodeRow } from "../../store/queries/device-codes.ts";
import type { OAuthClientRow } from "../../store/queries/oauth-clients.ts";
import type { UserRow } from "../../store/queries/users.ts";
import { hashToken } from "../auth/token-hash.ts";
import type { ApiDependencies } from "../settings.ts";
import { beginInteractiveSession } from "./interactive.ts";

const CODE_SECONDS = 600;
const CODE_BYTES = 32;

export interface DeviceApproval {
  readonly user: UserRow;
  readonly code: DeviceCodeRow;
  /** Of those that the device asks for. */
  readonly scopes: readonly string[];
  readonly ip: string;
  readonly userAgent: string;
}

/** Begins the device's session. @returns false when somebody has decided before, or the code has run out. */
export async function letDeviceIn(deps: ApiDependencies, approval: DeviceApproval): Promise<boolean> {
  const { user, code, scopes, ip, userAgent } = approval;
  const client = { clientId: code.clientId, name: code.clientName };
  const name = code.name ?? undefined;
  const now = microsOf(deps.clock());
  try {
    await deps.sql.begin(async (tx) => {
      const agreed = { user, client, grant: "device_code", name, scopes, ip, userAgent, now } as const;
      const session = await beginInteractiveSession(tx, agreed);
      // The session goes again with the transaction.
      if (!(await authorizeDevice(tx, code.id, session.id, now))) throw new TooLate();
    });
    return true;
  } catch (error) {
    if (error instanceof TooLate) return false;
    throw error;
  }
}

class TooLate extends Error {}

export interface RedirectApproval {
  readonly user: UserRow;
  readonly client: OAuthClientRow;
  readonly redirectUri: string;
  readonly scopes: readonly string[];
  readonly codeChallenge: string;
}

/** @returns a code that works once, for ten minutes. */
export async function issueAuthorizationCode(
  deps: ApiDependencies,
  { user, client, redirectUri, scopes, codeChallenge }: RedirectApproval,
): Promise<string> {
  const code = Buffer.from(deps.random(CODE_BYTES)).toString("base64url");
  await insertAuthorizationCode(deps.sql, {
    codeHash: hashToken(code),
    clientId: client.clientId,
    userId: user.id,
    redirectUri,
    scopes,
    codeChallenge,
    expiresAt: micros(microsOf(deps.clock()) + CODE_SECONDS * 1_000_000),
  });
  return code;
}
