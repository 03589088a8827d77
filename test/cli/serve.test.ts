/** `skep serve` from the first start on: what it prints, keeps, and recovers from. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isAlive } from "../../store/postgres/embedded-running.ts";
import { headersOf, publish as publishTo, tarballOf } from "./package.ts";
import { CALLED, type Ended, type SkepFolder, skepFolder } from "./skep.ts";

let skep: SkepFolder;
beforeEach(async () => {
  skep = await skepFolder();
});
afterEach(() => skep.remove());

async function newKey(): Promise<string> {
  const { code, stdout } = await skep.run(["key", "create", "--user", "admin"]);
  expect(code).toBe(0);
  return stdout.trim();
}

const publish = (key: string, name: string, version: string) => publishTo(skep.url, key, name, version);

async function postgresPid(): Promise<number> {
  const file = join(skep.folder, "data/postgres/cluster/data/postmaster.pid");
  return Number((await readFile(file, "utf8")).split("\n")[0]);
}

const verify = () => skep.run(["verify", `${skep.url}/repo`, "--repository", "local"]);
const clean = (ended: Ended) => ({ code: ended.code, stdout: ended.stdout });

describe("the first start", () => {
  it("is ready within 15 seconds, and prints what a newcomer needs", async () => {
    const begun = performance.now();
    const running = await skep.serve();
    expect(performance.now() - begun).toBeLessThan(15_000);
    const text = running.stdout();

    const pem = await (await fetch(`${skep.url}/repo/public_key`)).text();
    expect(pem).toContain("BEGIN PUBLIC KEY");
    const fingerprint = /signing key (SHA256:[\w+/]{43})/.exec(text)?.[1] ?? "";
    expect(text).toContain(`mix hex.repo add local ${skep.url}/repo --fetch-public-key ${fingerprint}\n`);
    expect(text).toContain(`repo_public_key => <<"${pem.trimEnd()}\n">>`);
    expect(text).toContain(`HEX_API_URL=${skep.url}/api mix hex.publish`);
    const command = `SKEP_DATA_DIR=${join(skep.folder, "data")} ${CALLED}`;
    expect(text).toContain(`export HEX_API_KEY=$(${command} key create --user admin)`);
    expect(text).toContain(`data in ${join(skep.folder, "data")}`);

    const [, password = ""] = /user name admin, password (\S+)/.exec(text) ?? [];
    const authorization = `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
    const me = await fetch(`${skep.url}/api/users/me`, { headers: { authorization, "user-agent": "test" } });
    expect(await me.json()).toMatchObject({ username: "admin" });
    // Secrets are shown where they were asked for, and nowhere else.
    expect(running.stderr()).not.toContain(password);
    expect(running.stderr()).not.toContain("PRIVATE KEY");
  });

  it("keeps its secrets to itself", async () => {
    await skep.serve();
    const mode = async (path: string) =>
      ((await stat(join(skep.folder, "data", path))).mode & 0o777).toString(8);
    expect(await mode("signing-key.pem")).toBe("600");
    expect(await mode("key-secret")).toBe("600");
    expect(await mode("token-key.pem")).toBe("600");
    expect(await mode("private")).toBe("700");
    expect((await readdir(join(skep.folder, "data"))).sort()).toEqual([
      "key-secret",
      "postgres",
      "private",
      "public",
      "signing-key.pem",
      "token-key.pem",
    ]);
  });

  it("answers at /, /status, /api and /repo on one port", async () => {
    await skep.serve();
    const get = async (path: string) => {
      const response = await fetch(skep.url + path, { headers: { "user-agent": "test" } });
      return [response.status, response.headers.get("content-type"), await response.text()] as const;
    };
    expect(await get("/status")).toMatchObject([
      200,
      "application/json",
      expect.stringContaining('"status":"ok"'),
    ]);
    expect(await get("/")).toMatchObject([
      200,
      expect.any(String),
      expect.stringContaining("mix hex.repo add"),
    ]);
    expect((await get("/api"))[0]).toBe(200);
    expect(await get("/api/none")).toMatchObject([404, expect.stringContaining("json"), expect.any(String)]);
    expect((await get("/repo/names"))[0]).toBe(200);
    expect((await get("/repo/none"))[0]).toBe(404);
    expect(await get("/none")).toMatchObject([404, expect.any(String), "not found\n"]);
    expect((await get("/"))[2]).not.toMatch(/password|PRIVATE/);
  });
});

describe("stop and start", () => {
  it("keeps everything, and makes nothing a second time", async () => {
    const first = await skep.serve();
    const key = await newKey();
    expect(await publish(key, "kept", "1.0.0")).toBe(201);
    const pid = await postgresPid();
    const ended = await first.stop("SIGINT");
    expect(ended.code).toBe(0);
    expect(isAlive(pid)).toBe(false);

    const second = await skep.serve();
    expect(second.stdout()).not.toContain("password");
    expect(second.stdout()).toContain(/signing key \S+/.exec(ended.stdout)?.[0]);
    expect(await publish(key, "kept", "1.1.0")).toBe(201);
    expect(clean(await verify())).toEqual({ code: 0, stdout: "" });
    expect((await fetch(`${skep.url}/repo/tarballs/kept-1.0.0.tar`)).status).toBe(200);
    expect((await second.stop()).code).toBe(0);
  });

  it("finishes what it has accepted", async () => {
    const running = await skep.serve();
    const key = await newKey();
    const body = tarballOf("accepted", "1.0.0");
    const headers = { ...headersOf(key), expect: "100-continue", "content-length": body.length };
    const upload = request(`${skep.url}/api/publish`, { method: "POST", headers });
    const answer = once(upload, "response");
    upload.flushHeaders();
    await once(upload, "continue");
    const ended = running.stop("SIGTERM");
    await running.until('"stopping; once more');
    upload.end(body);
    const [response] = await answer;
    expect(response.statusCode).toBe(201);
    expect((await ended).code).toBe(0);
    // And it is there although the server has ended.
    expect(await readFile(join(skep.folder, "data/public/tarballs/accepted-1.0.0.tar"))).toEqual(body);
  });

  it("recovers by itself from kill -9, embedded Postgres included", async () => {
    const first = await skep.serve();
    const key = await newKey();
    expect(await publish(key, "kept", "1.0.0")).toBe(201);
    const pid = await postgresPid();
    await first.stop("SIGKILL");
    expect(isAlive(pid)).toBe(true);

    const second = await skep.serve();
    expect(await postgresPid()).toBe(pid);
    expect(await publish(key, "kept", "1.1.0")).toBe(201);
    // As after a power cut.
    await second.stop("SIGKILL");
    process.kill(pid, "SIGKILL");
    await expect.poll(() => isAlive(pid)).toBe(false);

    await skep.serve();
    expect(await publish(key, "kept", "1.2.0")).toBe(201);
    expect(clean(await verify())).toEqual({ code: 0, stdout: "" });
    expect(clean(await skep.run(["rebuild", "--check"]))).toEqual({ code: 0, stdout: "" });
  });

  it("goes on when its Postgres dies", async () => {
    await skep.serve();
    const key = await newKey();
    const pid = await postgresPid();
    process.kill(pid, "SIGKILL");
    await expect.poll(() => publish(key, "kept", "1.0.0").catch(() => 0), { timeout: 30_000 }).toBe(201);
    expect(await postgresPid()).not.toBe(pid);
  });

  it("a second ^C stops at once, and the next start is none the worse", async () => {
    const running = await skep.serve({ SKEP_STOP_SECONDS: "60" });
    const key = await newKey();
    // An upload that never ends holds a graceful stop up.
    const headers = { ...headersOf(key), expect: "100-continue", "content-length": 1_000 };
    const upload = request(`${skep.url}/api/publish`, { method: "POST", headers });
    upload.on("error", () => undefined).flushHeaders();
    await once(upload, "continue");
    // As somebody does who has lost patience: the first few count as one.
    const impatience = setInterval(() => running.child.kill("SIGINT"), 200);
    const { code, stderr } = await running.ended.finally(() => clearInterval(impatience));
    expect(code).toBe(130);
    expect(stderr).toContain("stopped at once");
    await skep.serve();
    expect((await verify()).code).toBe(0);
  });
});

describe("npm start", () => {
  it.each(["SIGTERM", "SIGKILL"] as const)(
    "ends when npm is ended by %s, and starts again",
    async (signal) => {
      const { npm, until, ended } = npmStart();
      await until("stop with ^C");
      const pid = await postgresPid();
      npm.kill(signal);
      await until("stopped");
      await ended;
      expect(isAlive(pid)).toBe(false);
      await skep.serve();
    },
  );
});

/** As a person calls it: npm, a shell, a loader, and then us. */
function npmStart() {
  const { PATH = "", HOME = "" } = process.env;
  const npm = spawn("npm", ["start"], { cwd: skep.root, env: { PATH, HOME, ...skep.environment } });
  let text = "";
  const look = new Set<() => void>();
  for (const stream of [npm.stdout, npm.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      for (const one of look) one();
    });
  }
  const until = (wanted: string) =>
    new Promise<void>((done) => {
      const check = () => (text.includes(wanted) ? done() : undefined);
      look.add(check);
      check();
    });
  // Both ends are closed when the last of the chain is gone.
  return { npm, until, ended: once(npm, "close") };
}

describe("refusals", () => {
  it("a second one in the same folder, by name, and the first is not disturbed", async () => {
    const first = await skep.serve();
    const second = await skep.run(["serve"]);
    expect(second.code).toBe(1);
    expect(second.stderr).toBe(
      `skep: skep serve (pid ${first.child.pid}) already uses this folder, ${skep.environment.SKEP_DATA_DIR}: ` +
        "stop it, or give this one a folder of its own with SKEP_DATA_DIR\n",
    );
    expect((await fetch(`${skep.url}/repo/names`)).status).toBe(200);
  });

  it("a port that is taken", async () => {
    await skep.serve();
    const other = await skepFolder();
    try {
      const { code, stderr } = await other.run(["serve"], { SKEP_PORT: skep.environment.SKEP_PORT ?? "" });
      expect(code).toBe(2);
      expect(stderr).toContain("is in use; choose another with SKEP_PORT");
    } finally {
      await other.remove();
    }
  });

  it("a lost signing key, a lost secret, and another name", async () => {
    const running = await skep.serve();
    const key = await newKey();
    expect(await publish(key, "kept", "1.0.0")).toBe(201);
    await running.stop();
    for (const [file, message] of [
      [
        "signing-key.pem",
        /there is no signing key in .*: everything here is signed with SHA256:.*; restore that key/,
      ],
      ["key-secret", /SKEP_KEY_SECRET is not set, and there is no .*: API keys depend on it; restore it/],
    ] as const) {
      const path = join(skep.folder, "data", file);
      await rename(path, `${path}.lost`);
      const { code, stderr } = await skep.run(["serve"]);
      expect([code, stderr]).toEqual([2, expect.stringMatching(message)]);
      await rename(`${path}.lost`, path);
    }
    await writeFile(join(skep.folder, "other.pem"), "no key");
    const broken = await skep.run(["serve"], { SKEP_SIGNING_KEY_FILE: join(skep.folder, "other.pem") });
    expect([broken.code, broken.stderr]).toEqual([2, expect.stringContaining("is not a private key in PEM")]);
    const renamed = await skep.run(["serve"], { SKEP_REPOSITORY: "acme" });
    expect([renamed.code, renamed.stderr]).toEqual([
      2,
      expect.stringContaining("a repository cannot be renamed"),
    ]);
    await skep.serve();
  });
});
