/** Requests to the OAuth endpoints, and a clock that tests put forward. */
import { expect } from "vitest";
import { letDeviceIn } from "../../../api/oauth/approval.ts";
import { deviceCodeByUserCode } from "../../../store/queries/device-codes.ts";
import { userById } from "../../../store/queries/users.ts";
import { startRegistry, type TestRegistry } from "../../support/registry.ts";

export const MIX = "78ea6566-89fd-481e-a1d6-7d9d78eacca8";
export const GLEAM = "877731e8-cb88-45e1-9b84-9214de7da421";
export const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

export interface Reply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what is in it is what the tests are about
  readonly body: any;
  readonly headers: Headers;
}

export interface OAuthRegistry extends TestRegistry {
  post(path: string, body: object): Promise<Reply>;
  get(path: string, authorization: string): Promise<Reply>;
  pass(seconds: number): void;
  /** Lets a device in, as its person would on the page. */
  approve(userCode: string, username: string, scopes: readonly string[]): Promise<void>;
  /** A device of the user that was let in. @returns its tokens */
  signIn(username: string, scopes: readonly string[], clientId?: string): Promise<Reply["body"]>;
}

export async function startOAuthRegistry(
  options: Parameters<typeof startRegistry>[0] = {},
): Promise<OAuthRegistry> {
  let ahead = 0;
  const clock = () => new Date(Date.now() + ahead);
  const registry = await startRegistry({ generator: false, clock, ...options });
  const reply = async (response: Response): Promise<Reply> => {
    const text = await response.text();
    return {
      status: response.status,
      body: text === "" ? undefined : JSON.parse(text),
      headers: response.headers,
    };
  };
  const oauth: OAuthRegistry = {
    ...registry,
    pass: (seconds) => {
      ahead += seconds * 1000;
    },
    post: async (path, body) =>
      reply(
        await registry.request(path, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify(body),
        }),
      ),
    get: async (path, authorization) => reply(await registry.request(path, { headers: { authorization } })),
    async approve(userCode, username, scopes) {
      const { deps } = registry;
      const user = await userById(deps.sql, await registry.user(username));
      const code = await deviceCodeByUserCode(deps.sql, userCode);
      if (user === undefined || code === undefined) throw new Error(`no code ${userCode}`);
      const origin = { ip: "192.0.2.1", userAgent: "a browser" };
      expect(await letDeviceIn(deps, { user, code, scopes, ...origin })).toBe(true);
    },
    async signIn(username, scopes, clientId = MIX) {
      const scope = scopes.join(" ");
      const begun = await oauth.post("/oauth/device_authorization", { client_id: clientId, scope });
      expect(begun.status).toBe(200);
      await oauth.approve(begun.body.user_code, username, scopes);
      const grant = { grant_type: DEVICE_GRANT, device_code: begun.body.device_code, client_id: clientId };
      const redeemed = await oauth.post("/oauth/token", grant);
      expect(redeemed.status).toBe(200);
      return redeemed.body;
    },
  };
  return oauth;
}
