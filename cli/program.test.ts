/** Help, mistakes and the configuration, as the command line shows them. */
import { describe, expect, it } from "vitest";
import { runHere } from "../test/support/program.ts";

const FILE = "SKEP_ALLOW_REPLACE=off\n";

const run = (words: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  runHere(words, environment, FILE);

/** Nothing that a person could not do anything with. */
const STACK = /\n\s+at |node:internal|Error:/;

describe("usage", () => {
  it("--version and --help", async () => {
    expect(await run(["--version"])).toEqual({ code: 0, stdout: "1.2.3\n", stderr: "" });
    const help = await run(["--help"]);
    expect(help.code).toBe(0);
    for (const command of [
      "serve",
      "api",
      "generator",
      "migrate",
      "user",
      "key",
      "rebuild",
      "diff",
      "verify",
      "config",
    ]) {
      expect(help.stdout).toMatch(new RegExp(`^  ${command} `, "m"));
    }
    expect(help.stdout).toContain("Exit codes: 0 done, 1 problems found or failed, 2 wrong arguments");
  });

  it.each([
    "serve",
    "api",
    "generator",
    "migrate",
    "user create",
    "key create",
    "rebuild",
    "diff",
    "verify",
    "config",
  ])("%s has examples and exit codes", async (command) => {
    const { code, stdout } = await run([...command.split(" "), "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples?:\n {2}/);
    expect(stdout).toContain("Exit codes:");
  });

  it.each<[args: readonly string[], said: string]>([
    [["srve"], "skep: unknown command 'srve'\n(Did you mean serve?)\n"],
    [["serve", "--prot", "1"], "skep: unknown option '--prot'\n"],
    [["verify"], "skep: missing required argument 'url-or-folder'\n"],
    [["verify", "/no/such"], "skep: /no/such is neither a URL nor a folder\n"],
    [["verify", "http://"], "skep: http:// is not a URL\n"],
    [["verify", ".", "--concurrency", "0"], "must be a whole number above 0"],
    [["verify", ".", "--public-key", "/no/such"], "skep: the public key cannot be read: ENOENT"],
    [["user", "create", "ann"], "skep: required option '--email <address>' not specified\n"],
    [
      ["user", "create", "ann", "--email", "a@b.example"],
      "skep: no terminal to ask for a password on; give it with --password-stdin\n",
    ],
    [["config", "--role", "cook"], "argument 'cook' is invalid"],
  ])("%j", async (args, said) => {
    const { code, stderr } = await run(args);
    expect(stderr).toContain(said);
    expect(stderr).not.toMatch(STACK);
    expect(code).toBe(2);
  });
});

describe("config", () => {
  it("shows what is in force and where it comes from, with secrets hidden", async () => {
    const file = "/etc/skep.env";
    const secrets = { SKEP_KEY_SECRET: "hunter2-hunter2-hunter2-hunter2-hunter2" };
    const { code, stdout } = await run(["config"], { SKEP_CONFIG_FILE: file, ...secrets });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^SKEP_ALLOW_REPLACE=off +# file$/m);
    expect(stdout).toMatch(/^SKEP_KEY_SECRET=\[secret\] +# environment$/m);
    expect(stdout).toMatch(/^SKEP_REPOSITORY=local +# default$/m);
    expect(stdout).toMatch(/^SKEP_REPOSITORY_URL=http:\/\/localhost:4000\/repo +# default$/m);
    expect(stdout).not.toContain("hunter2");
    const json: { name: string }[] = JSON.parse((await run(["config", "--json"], secrets)).stdout);
    expect(json.find(({ name }) => name === "SKEP_KEY_SECRET")).toEqual({
      name: "SKEP_KEY_SECRET",
      value: "[secret]",
      origin: "environment",
    });
  });

  it("is checked for a role", async () => {
    expect(await run(["config", "--check"])).toMatchObject({ code: 0 });
    const api = { DATABASE_URL: "postgres://a:hunter2@db/skep", SKEP_FASTLY_TOKEN: "hunter2" };
    const { code, stderr } = await run(["config", "--check", "--role", "api"], api);
    expect(code).toBe(2);
    expect(stderr).toContain("SKEP_FASTLY_TOKEN must not be given to the API");
    expect(stderr).toContain("SKEP_KEY_SECRET is missing, which `skep api` needs");
    expect(stderr).not.toContain("hunter2");
    expect(stderr).not.toMatch(STACK);
  });

  it.each(["serve", "migrate", "rebuild", "config"])("a mistake in it stops %s", async (command) => {
    const { code, stderr } = await run([command], { SKEP_REPOSITRY: "x" });
    expect([code, stderr.split("\n")[0]]).toEqual([
      2,
      "skep: configuration: SKEP_REPOSITRY is not a setting; did you mean SKEP_REPOSITORY?",
    ]);
  });
});
