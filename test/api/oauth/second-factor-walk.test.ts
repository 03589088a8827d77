/** 3.5 over the whole route table, over several processes, and for who may not write at all. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createApi } from "../../../api/app.ts";
import { hashRecoveryCode } from "../../../api/auth/recovery-codes.ts";
import { sealTotpSecret } from "../../../api/auth/second-factor.ts";
import { totpCode } from "../../../api/auth/totp.ts";
import { PostgresCounters } from "../../../api/limits/counters.ts";
import type { Route } from "../../../api/route.ts";
import { ROUTES } from "../../../api/routes.ts";
import { enableTotp } from "../../../store/queries/totp.ts";
import { packageTarball } from "../../support/package-builder.ts";
import { type OAuthRegistry, startOAuthRegistry } from "./oauth.ts";

const SECRET = Buffer.from("12345678901234567890");
const RECOVERY_CODE = "01234-56789-abcde-f0123";
const ASKED = 'Bearer realm="hex", error="totp_required"';

let registry: OAuthRegistry;
let withFactor: string;
let without: string;
beforeAll(async () => {
  registry = await startOAuthRegistry({ generator: true });
  const { deps } = registry;
  const id = await registry.user("ann");
  const hashes = [hashRecoveryCode(RECOVERY_CODE)];
  await deps.sql.begin((tx) => enableTotp(tx, id, sealTotpSecret(deps, id, SECRET), hashes));
  await registry.organization("acme", { ann: "admin", bob: "admin" });
  const published = await registry.request("/publish", {
    method: "POST",
    headers: { authorization: await registry.key("ann") },
    body: new Uint8Array(packageTarball()),
  });
  expect(published.status).toBe(201);
  await registry.own("bob", "example", "full");
});
afterAll(() => registry.stop());
beforeEach(async () => {
  // Windows of failures begin anew, and the tokens of before have run out.
  registry.pass(3_600);
  await registry.database.sql`delete from counters`;
  withFactor = (await registry.signIn("ann", ["api:read", "api:write"])).access_token;
  without = (await registry.signIn("bob", ["api:read", "api:write"])).access_token;
});

const code = () => totpCode(SECRET, Math.floor(registry.deps.clock().getTime() / 1000));
const isWriting = ({ permission }: Route) => permission === "write" || permission === "publish";
const named = (routes: readonly Route[]) =>
  routes.map((route) => [`${route.method} ${route.path}`, route] as const);

/** About what is there, so that a request gets as far as the code. */
function send(route: Route, token: string, otp?: string): Promise<Response> {
  const path = route.path
    .replace(":organization", "acme")
    .replace(":repository", "local")
    .replace(":name", route.path.includes("/packages") ? "example" : "ann")
    .replace(":version", "1.0.0")
    .replace(":user", "ann");
  const headers: Record<string, string> = { authorization: `Bearer ${token}` };
  if (otp !== undefined) headers["x-hex-otp"] = otp;
  if (route.method === "GET") return registry.request(path, { headers });
  if (route.upload) {
    return registry.request(path, { method: route.method, headers, body: new Uint8Array(packageTarball()) });
  }
  headers["content-type"] = "application/json";
  return registry.request(path, { method: route.method, headers, body: "{}" });
}

describe("every route that writes", () => {
  it("there are some", () => expect(ROUTES.filter(isWriting).length).toBeGreaterThan(15));

  it.each(named(ROUTES.filter(isWriting)))("%s asks for a code", async (_, route) => {
    const asked = await send(route, withFactor);
    expect([asked.status, asked.headers.get("www-authenticate")]).toEqual([401, ASKED]);
    const refused = await send(route, without);
    expect([refused.status, await refused.json()]).toEqual([
      403,
      { status: 403, message: "Two-factor authentication must be enabled for API write access" },
    ]);
  });
});

describe("no other route", () => {
  it.each(named(ROUTES.filter((route) => !isWriting(route))))("%s asks or looks", async (_, route) => {
    for (const token of [withFactor, without]) {
      const answer = await send(route, token, "000000");
      expect(answer.headers.get("www-authenticate") ?? "").not.toContain("totp");
      expect(await answer.text()).not.toContain("wo-factor authentication");
    }
    expect(await registry.database.sql`select bucket from counters where bucket like 'totp %'`).toEqual([]);
  });
});

it("a recovery code is none here, and is not used up", async () => {
  const route = ROUTES.find(({ method, path }) => method === "DELETE" && path === "/keys/:name") as Route;
  expect((await send(route, withFactor, RECOVERY_CODE)).headers.get("www-authenticate")).toContain(
    "invalid_totp",
  );
  const rows = await registry.database.sql`select used_at from recovery_codes`;
  expect(rows.map((row) => row.used_at)).toEqual([null]);
});

it("a closed account writes nothing, whatever its code", async () => {
  const { sql } = registry.database;
  await sql`update users set deactivated_at = now() where username = 'ann'`;
  try {
    const route = ROUTES.find(({ method, path }) => method === "DELETE" && path === "/keys/:name") as Route;
    expect((await send(route, withFactor, code())).status).toBe(400);
  } finally {
    await sql`update users set deactivated_at = null where username = 'ann'`;
  }
});

describe("1.7: two processes", () => {
  const processes = () => {
    const { deps, database } = registry;
    return [1, 2].map(() => {
      const sql = database.pool({ role: "skep_api", max: 4 });
      return createApi({ ...deps, sql, counters: new PostgresCounters(sql, deps.clock) });
    });
  };
  const guess = async (api: ReturnType<typeof createApi> | undefined, otp: string) => {
    const headers = { authorization: `Bearer ${withFactor}`, "user-agent": "test", "x-hex-otp": otp };
    return (await api?.request("/api/keys/none", { method: "DELETE", headers }))?.status;
  };

  it("count wrong codes together", async () => {
    const [one, two] = processes();
    const statuses = [];
    for (const api of [one, two, one, two, one]) statuses.push(await guess(api, "000000"));
    expect(statuses).toEqual([401, 401, 401, 401, 401]);
    expect([await guess(one, code()), await guess(two, code())]).toEqual([429, 429]);
  });

  it("tell no more than five times that one is wrong, however many come at once", async () => {
    const apis = processes();
    const statuses = await Promise.all(Array.from({ length: 24 }, (_, n) => guess(apis[n % 2], "000000")));
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(19);
  });
});
