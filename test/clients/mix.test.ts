/**
 * Elixir's mix with Hex's own client, where that is installed (`mix local.hex`): publish, fetch, retire, audit,
 * documentation, revert. It is in no registry that every machine reaches, so elsewhere this is left out.
 */
import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sealTotpSecret } from "../../api/auth/second-factor.ts";
import { totpCode } from "../../api/auth/totp.ts";
import { policyName, trusted } from "../../hex/ids.ts";
import { publicKeyFingerprint } from "../../proto/public-key.ts";
import type { PolicyDocument } from "../../schemas/policy.ts";
import { recordChange } from "../../store/queries/changes.ts";
import { writePolicy } from "../../store/queries/policies.ts";
import { enableTotp } from "../../store/queries/totp.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { testSigner } from "../support/signing.ts";
import { optionalMixHex } from "../support/tools.ts";
import { WebClient } from "../web/client.ts";

const run = promisify(execFile);

describe.runIf(optionalMixHex())("mix hex", () => {
  let folder: string;
  let registry: TestRegistry;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "skep-mix-"));
    registry = await startRegistry();
    env = {
      ...process.env,
      HEX_HOME: join(folder, "hex"),
      HEX_API_URL: `${registry.url}/api`,
      HEX_API_KEY: await registry.key("ann"),
      LC_ALL: "C.UTF-8",
    };
    const fingerprint = publicKeyFingerprint(testSigner().publicKeyPem);
    await mix(folder, "hex.repo", "add", "local", `${registry.url}/repo`, "--fetch-public-key", fingerprint);
  });
  afterAll(async () => {
    await registry.stop();
    await rm(folder, { recursive: true, force: true });
  });

  /** @returns the exit code and everything that was printed. */
  async function mix(cwd: string, ...args: readonly string[]): Promise<{ code: number; output: string }> {
    try {
      const running = run("mix", [...args], { cwd, env, timeout: 60_000 });
      // Whatever it wants to know beyond its arguments it does not get.
      running.child.stdin?.end();
      const { stdout, stderr } = await running;
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, output: stdout + stderr };
    }
  }

  async function project(name: string, deps: string, packageOptions = ""): Promise<string> {
    const path = join(folder, name);
    await mkdir(join(path, "lib"), { recursive: true });
    const module = name.charAt(0).toUpperCase() + name.slice(1);
    await writeFile(
      join(path, "mix.exs"),
      `defmodule ${module}.MixProject do
  use Mix.Project
  def project do
    [app: :${name}, version: "0.1.0", description: "A ${name}", deps: [${deps}], package: [${packageOptions}licenses: ["MIT"], links: %{}]]
  end
end
defmodule Mix.Tasks.Docs do
  use Mix.Task
  def run(_), do: :ok
end
`,
    );
    await writeFile(join(path, `lib/${name}.ex`), `defmodule ${module} do\n  def name, do: :${name}\nend\n`);
    return path;
  }

  it("publishes, fetches, retires, audits, documents and reverts", { timeout: 180_000 }, async () => {
    const grape = await project("grape", "");
    const pear = await project("pear", '{:grape, "~> 0.1", repo: "local"}');
    const app = await project("app", '{:pear, "~> 0.1", repo: "local"}');
    expect((await mix(grape, "hex.publish", "package", "--yes")).output).toContain("Package published to");
    expect((await mix(pear, "deps.get")).output).toContain("grape 0.1.0");
    expect((await mix(pear, "hex.publish", "package", "--yes")).output).toContain("Package published to");
    expect(await mix(app, "deps.get")).toMatchObject({ code: 0 });
    const result = await mix(app, "run", "-e", "IO.inspect({Pear.name(), Grape.name()})");
    expect(result.output).toContain("{:pear, :grape}");

    const retired = await mix(
      folder,
      "hex.retire",
      "grape",
      "0.1.0",
      "security",
      "--message",
      "do not use it",
    );
    expect(retired.output).toContain("has been retired");
    await rm(join(app, "mix.lock"));
    expect((await mix(app, "deps.get")).output).toContain("RETIRED!");
    expect(await mix(app, "hex.audit")).toMatchObject({
      code: 1,
      output: expect.stringContaining("do not use it"),
    });
    expect((await mix(folder, "hex.retire", "grape", "0.1.0", "--unretire")).output).toContain(
      "has been unretired",
    );

    await mkdir(join(pear, "doc"));
    await writeFile(join(pear, "doc/index.html"), "<html></html>");
    expect((await mix(pear, "hex.publish", "docs", "--yes")).code).toBe(0);
    // `hex.docs` knows hexpm only; a mirror of it is what it can be pointed at.
    env.HEX_MIRROR = `${registry.url}/repo`;
    expect((await mix(app, "hex.docs", "fetch", "pear", "0.1.0")).output).toContain("Docs fetched");
    delete env.HEX_MIRROR;

    expect((await mix(grape, "hex.publish", "--revert", "0.1.0", "--yes")).output).toContain(
      "other packages depend on it",
    );
    expect((await mix(pear, "hex.publish", "--revert", "0.1.0", "--yes")).output).toContain(
      "Reverted pear 0.1.0",
    );
    expect((await mix(grape, "hex.publish", "--revert", "0.1.0", "--yes")).output).toContain(
      "Reverted grape 0.1.0",
    );
    expect((await registry.request("/packages/grape")).status).toBe(404);
  });

  it("signs in by device: a person lets it in, writing takes a code, and signing out ends it", {
    timeout: 180_000,
  }, async () => {
    const key = env.HEX_API_KEY;
    delete env.HEX_API_KEY;
    const { deps } = registry;
    const secret = Buffer.from("12345678901234567890");
    const id = await registry.user("dora");
    await deps.sql.begin((tx) => enableTotp(tx, id, sealTotpSecret(deps, id, secret), []));
    const code = () => totpCode(secret, Math.floor(Date.now() / 1000));
    const browser = new WebClient(registry.url);
    await browser.signIn("dora");
    await browser.post("/tfa", { code: code() });

    // No browser to open, as on a server.
    const child = spawn("mix", ["hex.user", "auth"], {
      cwd: folder,
      env: { ...env, DISPLAY: "", BROWSER: "true" },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
    await vi.waitFor(() => expect(output).toContain("Waiting for authentication"), 60_000);
    expect(output).toContain(`To authenticate, visit: ${registry.url}/oauth/device`);
    const userCode = /^ {2}(\w{4}-\w{4})$/m.exec(output)?.[1] ?? "";
    await browser.post("/oauth/device", { user_code: userCode });
    const page = "/oauth/device/authorize";
    const csrf = await browser.csrf(page);
    const body = new URLSearchParams({ csrf, action: "authorize" });
    for (const scope of ["api:read", "api:write", "repositories"]) body.append("selected_scopes[]", scope);
    expect((await browser.send(page, { method: "POST", body })).status).toBe(302);
    await vi.waitFor(() => expect(child.exitCode).toBe(0), 60_000);
    expect(output).toContain("You are authenticated!");

    expect((await mix(folder, "hex.user", "whoami")).output).toContain("dora");
    const melon = await project("melon", "");
    env.HEX_OTP = "000000";
    expect((await mix(melon, "hex.publish", "package", "--yes")).output).not.toContain(
      "Package published to",
    );
    env.HEX_OTP = code();
    expect((await mix(melon, "hex.publish", "package", "--yes")).output).toContain("Package published to");
    delete env.HEX_OTP;
    expect((await mix(folder, "hex.user", "deauth")).code).toBe(0);
    const { sql } = registry.database;
    const live = await sql`select from oauth_tokens t where revoked_at is null`;
    expect(live).toHaveLength(0);
    env.HEX_API_KEY = key;
  });

  it("authorizes an organization with its key, which it exchanges for a token", {
    timeout: 180_000,
  }, async () => {
    await registry.organization("corp", { ann: "admin" });
    const inner = await project("inner", "", 'organization: "corp", ');
    expect((await mix(inner, "hex.publish", "package", "--yes")).code).toBe(0);
    const key = await registry.organizationKey("corp", [{ domain: "repository", resource: "corp" }]);
    const publicKey = join(folder, "public.pem");
    await writeFile(publicKey, testSigner().publicKeyPem);
    // Organizations are parts of the repository that Hex calls hexpm: here it is ours.
    const set = ["hex.repo", "set", "hexpm", "--url", `${registry.url}/repo`, "--public-key", publicKey];
    expect((await mix(folder, ...set)).code).toBe(0);
    const kept = env.HEX_API_KEY;
    delete env.HEX_API_KEY;
    const authorized = await mix(folder, "hex.organization", "auth", "corp", "--key", key);
    expect(authorized).toMatchObject({ code: 0 });
    const app = await project("employee", '{:inner, "~> 0.1", organization: "corp"}');
    expect(await mix(app, "deps.get")).toMatchObject({ code: 0 });
    expect((await mix(app, "run", "-e", "IO.inspect(Inner.name())")).output).toContain(":inner");
    const { sql } = registry.database;
    const [session] = await sql`select scopes from oauth_sessions where grant_type = 'client_credentials'`;
    expect(session?.scopes).toEqual(["repository:corp"]);
    env.HEX_API_KEY = kept;
  });

  it("publishes privately, and fetches with a key of the organization alone", {
    timeout: 180_000,
  }, async () => {
    await registry.organization("acme", { ann: "admin", bob: "read" });
    const secret = await project("secret", "", 'organization: "acme", ');
    expect((await mix(secret, "hex.publish", "package", "--yes")).output).toContain(
      "Publishing package to private repository acme",
    );
    const generated = await mix(folder, "hex.organization", "key", "acme", "generate", "--key-name", "ci");
    expect(generated.output).toMatch(/^[0-9a-f]{32}$/m);
    expect((await mix(folder, "hex.owner", "add", "secret", "bob", "--organization", "acme")).code).toBe(0);
    expect((await mix(folder, "hex.info", "secret", "--organization", "acme")).output).toContain(
      'Config: {:secret, "~> 0.1.0", organization: "acme"}',
    );

    const fingerprint = publicKeyFingerprint(testSigner().publicKeyPem);
    const add = (key: string) =>
      mix(
        folder,
        "hex.repo",
        "add",
        "acme",
        `${registry.url}/repo/repos/acme`,
        "--fetch-public-key",
        fingerprint,
        "--auth-key",
        key,
      );
    expect((await add(await registry.key("eve"))).output).toContain("failed");
    const key = await registry.organizationKey("acme", [{ domain: "repository", resource: "acme" }]);
    expect((await add(key)).code).toBe(0);
    delete env.HEX_API_KEY;
    // A policy of the organization: what it denies is not resolved.
    const { sql } = registry.database;
    const [repository] = await sql<{ id: number }[]>`select id from repositories where name = 'acme'`;
    const document: PolicyDocument = {
      visibility: "private",
      repositories: [
        {
          repository: "acme",
          restriction: { retirement_reasons: ["security"], cooldown: "7d" },
          overrides: [
            { action: "deny", package: "secret", requirement: "~> 0.1", comment: "not yet" },
            { action: "advisory", package: "open", advisory_id: "CVE-2026-1234" },
            { action: "retirement", package: "open", retirement_reason: "renamed" },
            { action: "cooldown", package: "open" },
          ],
        },
      ],
    };
    await sql.begin(async (tx) => {
      const repositoryId = repository?.id ?? 0;
      await writePolicy(tx, repositoryId, trusted(policyName, "strict"), document);
      await recordChange(tx, { repositoryId, package: undefined });
    });
    await vi.waitFor(
      async () => expect(await registry.publicStore.head("repos/acme/policies/strict")).toBeDefined(),
      20_000,
    );
    env.HEX_POLICY = "acme/strict";
    const shown = (await mix(folder, "hex.policy", "show")).output;
    for (const line of [
      /Cooldown: +7d$/m,
      /Retirement rule: SECURITY$/m,
      /secret ~> 0\.1 +DENY +not yet$/m,
      /open +ADVISORY CVE-2026-1234$/m,
      /open +RETIREMENT renamed$/m,
      /open +COOLDOWN$/m,
    ]) {
      expect(shown).toMatch(line);
    }
    const refused = await project("refused", '{:secret, "~> 0.1", repo: "acme"}');
    expect((await mix(refused, "deps.get")).code).not.toBe(0);
    delete env.HEX_POLICY;
    const app = await project("insider", '{:secret, "~> 0.1", repo: "acme"}');
    expect(await mix(app, "deps.get")).toMatchObject({ code: 0 });
    expect((await mix(app, "run", "-e", "IO.inspect(Secret.name())")).output).toContain(":secret");
    // The key is looked at, and at once.
    expect((await mix(folder, "hex.organization", "auth", "acme", "--key", "0".repeat(32))).output).toContain(
      "invalid API key",
    );
  });
});
