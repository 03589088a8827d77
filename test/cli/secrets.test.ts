/**
 * A registry is used with every kind of secret, rightly, wrongly and while its database is down. None of them may then
 * be in what it has logged, and what it keeps must be of no use to whoever reads its disk.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { totpCode } from "../../api/auth/totp.ts";
import { DEVICE_GRANT, MIX } from "../api/oauth/oauth.ts";
import { WebClient } from "../web/client.ts";
import { headersOf, publish, tarballOf } from "./package.ts";
import { type RunningSkep, type SkepFolder, skepFolder } from "./skep.ts";

let skep: SkepFolder;
let running: RunningSkep;

/** By what each is, so that a failure says which one leaked and does not leak it again. */
const logged = new Map<string, string>();
/** Those of which the disk has a hash alone. */
const hashed = new Set<string>();
const keep = (what: string, secret: string | undefined, { isHashed = true } = {}): string => {
  if (secret === undefined || secret.length < 6) throw new Error(`no secret: ${what}`);
  logged.set(what, secret);
  if (isHashed) hashed.add(what);
  return secret;
};

beforeAll(async () => {
  skep = await skepFolder();
  running = await skep.serve({
    SKEP_LOG_LEVEL: "debug",
    SKEP_VERIFY_EMAILS: "on",
    SKEP_KEY_SECRET: keep("the secret of the hashes", "0123456789-the-secret-of-hashes-9876", {
      isHashed: false,
    }),
  });
}, 120_000);
afterAll(() => skep.remove());

const api = async (
  method: string,
  path: string,
  authorization: string | undefined,
  body?: object,
  more = {},
) => {
  const headers = { "user-agent": "test", "content-type": "application/json", ...more };
  const response = await fetch(`${skep.url}/api${path}`, {
    method,
    headers: authorization === undefined ? headers : { ...headers, authorization },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  // biome-ignore lint/suspicious/noExplicitAny: each answer is looked at for one field
  return { status: response.status, body: (text.startsWith("{") ? JSON.parse(text) : text) as any };
};
const basic = (login: string, password: string) =>
  `Basic ${Buffer.from(`${login}:${password}`).toString("base64")}`;

/** @returns the link in the newest mail of a kind, when it is there. */
async function linkIn(kind: string): Promise<URL> {
  const folder = join(skep.folder, "data/mail");
  for (;;) {
    const files = await readdir(folder).catch(() => []);
    const file = files.find((name) => name.startsWith(kind) && name.endsWith(".eml"));
    if (file !== undefined) {
      const text = (await readFile(join(folder, file), "utf8")).replace(/=\n/g, "").replaceAll("=3D", "=");
      const link = /https?:\/\/\S+key=[0-9a-f]{32}/.exec(text)?.[0];
      if (link !== undefined) return new URL(link);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const PASSWORD = "correct horse battery";
const NEW_PASSWORD = "staple of another kind";

async function useAccount(): Promise<WebClient> {
  keep("a password", PASSWORD);
  keep("a wrong password", "not the right one at all");
  keep("a password of the browser", NEW_PASSWORD);
  const account = { username: "zoe", password: PASSWORD, email: "zoe@example.com" };
  expect((await api("POST", "/users", undefined, account)).status).toBe(201);
  // Malformed, refused and rejected, with the password in it.
  await api("POST", "/users", undefined, { ...account, username: 5 });
  await fetch(`${skep.url}/api/users`, {
    method: "POST",
    headers: { "user-agent": "test", "content-type": "application/json" },
    body: `{"password": "${PASSWORD}"`,
  });
  const verification = await linkIn("verification");
  keep("the key of a verification", verification.searchParams.get("key") ?? undefined, { isHashed: false });
  const client = new WebClient(skep.url, (secret) => keep(`a session's cookie ${logged.size}`, secret));
  await client.send(verification.pathname + verification.search);
  await client.signIn("zoe", "not the right one at all");
  await client.post("/password/reset", { username: "zoe" });
  const reset = await linkIn("password-reset");
  const key = keep("the key of a new password", reset.searchParams.get("key") ?? undefined, {
    isHashed: false,
  });
  await client.send(reset.pathname + reset.search);
  const chosen = { username: "zoe", key, password: NEW_PASSWORD, password_confirmation: NEW_PASSWORD };
  expect((await client.post("/password/new", chosen, reset.pathname + reset.search)).status).toBe(302);
  expect((await client.signIn("zoe", NEW_PASSWORD)).status).toBe(302);
  keep("a form's token", await client.csrf("/account/keys"));
  await client.post("/login", { username: "zoe", password: NEW_PASSWORD, csrf: "another" });
  keep("a Basic credential", basic("zoe", NEW_PASSWORD));
  for (const password of [NEW_PASSWORD, "not the right one at all"]) {
    await api("GET", "/users/me", basic("zoe", password));
  }
  return client;
}

async function useSecondFactor(client: WebClient): Promise<Buffer> {
  const html = await (await client.send("/account/two-factor")).text();
  const text = (/<code>([A-Z2-7 ]+)<\/code>/.exec(html)?.[1] ?? "").replaceAll(" ", "");
  keep("the secret of the second factor", text);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...text].map((letter) => alphabet.indexOf(letter).toString(2).padStart(5, "0")).join("");
  const secret = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const shown = await client.post("/account/two-factor", { code: codeOf(secret) });
  const codes = (await shown.text()).match(/[0-9a-f]{5}(?:-[0-9a-f]{5}){3}/g) ?? [];
  keep("a recovery code", codes[0]);
  return secret;
}

const codeOf = (secret: Buffer) => totpCode(secret, Math.floor(Date.now() / 1000));

async function useKeys(): Promise<string> {
  const made = await api("POST", "/keys", basic("zoe", NEW_PASSWORD), { name: "laptop" });
  const key = keep("an API key", made.body.secret);
  keep("a key that nobody has", `${"f".repeat(31)}0`);
  expect(await publish(skep.url, key, "example", "1.0.0")).toBe(201);
  await publish(skep.url, `${"f".repeat(31)}0`, "example", "1.0.0");
  await api("GET", `/packages?search=${key}&key=${key}`, key);
  await api("GET", `/${key}`, key);
  await fetch(`${skep.url}/api/publish`, { method: "POST", headers: headersOf(key), body: key });
  await fetch(`${skep.url}/repo/names?key=${key}`, { headers: { authorization: key } });
  await fetch(`${skep.url}/repo/repos/acme/names`, { headers: { authorization: key } });
  return key;
}

async function useTokens(client: WebClient, key: string, second: Buffer): Promise<string> {
  const asked = await api("POST", "/oauth/device_authorization", undefined, {
    client_id: MIX,
    scope: "api repositories",
    name: "laptop",
  });
  const deviceCode = keep("a device's code", asked.body.device_code);
  // A person types it, so it is short and stored as it is, for ten minutes.
  keep("a user's code", asked.body.user_code, { isHashed: false });
  await client.send(`/oauth/device?user_code=${asked.body.user_code}`);
  await client.post("/oauth/device", { user_code: asked.body.user_code });
  const scopes = { action: "authorize", "selected_scopes[]": "api:write" };
  expect((await client.post("/oauth/device/authorize", scopes)).status).toBe(302);
  const grant = { grant_type: DEVICE_GRANT, device_code: deviceCode, client_id: MIX };
  const first = (await api("POST", "/oauth/token", undefined, grant)).body;
  keep("a first access token", first.access_token);
  keep("a first refresh token", first.refresh_token);
  const refresh = { grant_type: "refresh_token", refresh_token: first.refresh_token, client_id: MIX };
  const later = (await api("POST", "/oauth/token", undefined, refresh)).body;
  const token = keep("an access token", later.access_token);
  keep("a refresh token", later.refresh_token);
  await api("POST", "/oauth/token", undefined, refresh);
  const exchange = {
    grant_type: "client_credentials",
    client_id: MIX,
    client_secret: key,
    scope: "api:read",
  };
  keep("a token for a key", (await api("POST", "/oauth/token", undefined, exchange)).body.access_token);
  for (const code of [codeOf(second), "000000"]) {
    await api("POST", "/keys", `Bearer ${token}`, { name: "by token" }, { "x-hex-otp": code });
  }
  await api("GET", "/users/me", `Bearer ${token}x`);
  await api("POST", "/oauth/revoke", undefined, { token, client_id: MIX });
  return token;
}

/** Everything again while the database is gone, so that each request ends in an error of ours. */
async function useWithoutDatabase(client: WebClient, key: string, token: string): Promise<void> {
  const pid = join(skep.folder, "data/postgres/cluster/data/postmaster.pid");
  process.kill(Number((await readFile(pid, "utf8")).split("\n")[0]), "SIGKILL");
  const account = { username: "yan", password: PASSWORD, email: "yan@example.com" };
  await Promise.all([
    api("GET", "/users/me", key),
    api("GET", "/users/me", `Bearer ${token}`),
    api("GET", "/users/me", basic("zoe", NEW_PASSWORD)),
    api("POST", "/users", undefined, account),
    api("POST", "/oauth/token", undefined, {
      grant_type: "refresh_token",
      refresh_token: token,
      client_id: MIX,
    }),
    fetch(`${skep.url}/api/publish`, {
      method: "POST",
      headers: headersOf(key),
      body: new Uint8Array(tarballOf("example", "2.0.0")),
    }),
    client.send("/account/keys"),
    client.send(`/password/new?username=zoe&key=${logged.get("the key of a new password")}`),
  ]);
}

it("nothing secret is in the log, in output, or on the disk but as a hash", {
  timeout: 120_000,
}, async () => {
  const printed = running.stdout();
  keep("the administrator's password", /user name admin, password (\S+)/.exec(printed)?.[1]);
  const client = await useAccount();
  const key = await useKeys();
  const second = await useSecondFactor(client);
  const token = await useTokens(client, key, second);
  await useWithoutDatabase(client, key, token);
  const { stdout, stderr } = await running.stop();

  const output = stderr + stdout.slice(printed.length);
  expect(output).toContain("request failed");
  expect([...logged].filter(([, secret]) => output.includes(secret)).map(([what]) => what)).toEqual([]);
  expect(output).not.toContain("PRIVATE KEY");
  // As a logger of bytes might write them.
  expect([...logged].filter(([, text]) => output.includes(Buffer.from(text).toString("hex")))).toEqual([]);

  const found = new Set<string>();
  for await (const [file, bytes] of filesOf(join(skep.folder, "data"))) {
    for (const what of hashed) if (bytes.includes(logged.get(what) ?? "")) found.add(`${what} in ${file}`);
  }
  expect([...found]).toEqual([]);
});

async function* filesOf(folder: string): AsyncGenerator<readonly [path: string, bytes: Buffer]> {
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    yield [path.slice(folder.length), await readFile(path)];
  }
}
