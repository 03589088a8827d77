/**
 * Elixir's mix with Hex's own client, where that is installed (`mix local.hex`): publish, fetch, retire, audit,
 * documentation, revert. It is in no registry that every machine reaches, so elsewhere this is left out.
 */
import { execFile, execFileSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publicKeyFingerprint } from "../../proto/public-key.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { testSigner } from "../support/signing.ts";

const run = promisify(execFile);

function hasMixHex(): boolean {
  try {
    execFileSync("mix", ["help", "hex.publish"], { stdio: "ignore" });
    return true;
  } catch {
    console.log("left out: mix with hex is not installed");
    return false;
  }
}

describe.runIf(hasMixHex())("mix hex", () => {
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
      const { stdout, stderr } = await run("mix", [...args], { cwd, env });
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
    const app = await project("insider", '{:secret, "~> 0.1", repo: "acme"}');
    expect(await mix(app, "deps.get")).toMatchObject({ code: 0 });
    expect((await mix(app, "run", "-e", "IO.inspect(Secret.name())")).output).toContain(":secret");
    // The key is looked at, and at once.
    expect((await mix(folder, "hex.organization", "auth", "acme", "--key", "0".repeat(32))).output).toContain(
      "invalid API key",
    );
  });
});
