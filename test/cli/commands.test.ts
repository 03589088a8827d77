/** Commands that do one thing, their exit codes, and what they say when something is wrong. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SkepFolder, skepFolder } from "./skep.ts";

let skep: SkepFolder;
beforeAll(async () => {
  skep = await skepFolder();
});
afterAll(() => skep.remove());

/** Nothing that a person could not do anything with. */
const STACK = /\n\s+at |node:internal|Error:/;

it("is called as a program", async () => {
  expect(await skep.run(["--version"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
  });
  const { code, stdout, stderr } = await skep.run(["config"], { SKEP_PROT: "1" });
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain("skep: configuration: SKEP_PROT is not a setting; did you mean SKEP_PORT?\n");
  expect(stderr).not.toMatch(STACK);
  expect((await skep.run(["config"], { SKEP_PORT: "x", SKEP_DEBUG: "on" })).stderr).toMatch(STACK);
  expect((await skep.run(["--debug", "config"], { SKEP_PORT: "x" })).stderr).toMatch(STACK);
});

describe("what cannot be reached", () => {
  it("a Postgres: 3, without its password", async () => {
    const url = "postgres://skep:hunter2@127.0.0.1:1/skep";
    const { code, stderr } = await skep.run(["migrate"], { DATABASE_URL: url });
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(/^skep: Postgres cannot be reached: .*\nhint: /),
    ]);
    expect(stderr).not.toContain("hunter2");
    expect(stderr).not.toMatch(STACK);
  });

  it("a server to verify: 3", async () => {
    const { code, stderr } = await skep.run(["verify", "http://127.0.0.1:1/repo"]);
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(/^skep: http:\/\/127.0.0.1:1\/repo\/public_key cannot be read/),
    ]);
  });

  it("a data folder that cannot be made: 2", async () => {
    const file = join(skep.folder, "file");
    await writeFile(file, "");
    const { code, stderr } = await skep.run(["serve"], { SKEP_DATA_DIR: join(file, "data") });
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^skep: SKEP_DATA_DIR cannot be used: ENOTDIR/),
    ]);
  });
});

describe("migrate, user create, key create, rebuild", () => {
  it("say what has to come first", async () => {
    const fresh = await skepFolder();
    try {
      const user = ["user", "create", "ann", "--email", "ann@acme.example", "--password-stdin"];
      const early = await fresh.run(user, {}, "long enough\n");
      expect([early.code, early.stderr]).toEqual([3, expect.stringContaining("run `skep migrate`")]);
      const noSecret = await fresh.run(["key", "create", "--user", "ann"]);
      expect([noSecret.code, noSecret.stderr]).toEqual([
        2,
        expect.stringContaining("start `skep serve` once in this folder"),
      ]);
      const noKey = await fresh.run(["rebuild"]);
      expect([noKey.code, noKey.stderr]).toEqual([2, expect.stringContaining("there is no signing key in")]);
      expect(await fresh.run(["migrate"])).toMatchObject({
        code: 0,
        stdout: expect.stringContaining("registry\n"),
      });
      expect(await fresh.run(["migrate"])).toMatchObject({
        code: 0,
        stdout: "",
        stderr: "the database is up to date\n",
      });
      expect((await fresh.run(user, {}, "long enough\n")).code).toBe(0);
    } finally {
      await fresh.remove();
    }
  });

  it("work while serve runs, and while it does not", async () => {
    const running = await skep.serve();
    const create = (name: string, password: string) =>
      skep.run(["user", "create", name, "--email", `${name}@acme.example`, "--password-stdin"], {}, password);
    expect(await create("ann", "long enough\nignored")).toMatchObject({ code: 0, stdout: "" });
    const login = { authorization: `Basic ${btoa("ann:long enough")}`, "user-agent": "test" };
    expect((await fetch(`${skep.url}/api/users/me`, { headers: login })).status).toBe(200);

    const again = await create("ann", "long enough");
    expect([again.code, again.stderr]).toEqual([1, "skep: email already in use\n"]);
    const short = await create("bob", "short");
    expect([short.code, short.stderr]).toEqual([2, "skep: password should be at least 8 character(s)\n"]);
    const reserved = await create("hexpm", "long enough");
    expect([reserved.code, reserved.stderr]).toEqual([2, "skep: username is reserved\n"]);

    const key = ["key", "create", "--user", "ann"];
    const made = await skep.run([
      ...key,
      "--name",
      "ci",
      "--permission",
      "api:read",
      "--permission",
      "package:foo",
    ]);
    expect([made.code, made.stderr]).toEqual([0, "made the key ci of ann for api:read, package:local/foo\n"]);
    expect(made.stdout).toMatch(/^[0-9a-f]{32}\n$/);
    const headers = { authorization: made.stdout.trim(), "user-agent": "test" };
    expect((await fetch(`${skep.url}/api/users/me`, { headers })).status).toBe(200);
    const nobody = await skep.run(["key", "create", "--user", "nobody"]);
    expect([nobody.code, nobody.stderr]).toEqual([1, "skep: there is no account nobody\n"]);
    const odd = await skep.run([...key, "--permission", "everything"]);
    expect([odd.code, odd.stderr]).toEqual([2, "skep: domain is invalid\n"]);

    await running.stop();
    expect((await create("carol", "long enough")).code).toBe(0);
    const second = await skep.run(key);
    expect(second.code).toBe(0);
    await skep.serve();
    const later = { authorization: second.stdout.trim(), "user-agent": "test" };
    expect((await fetch(`${skep.url}/api/users/me`, { headers: later })).status).toBe(200);
  });

  it("rebuild brings a lost public store back, and --check names what differs", async () => {
    // A running generator would mend it by itself.
    const own = await skepFolder();
    try {
      await (await own.serve()).stop();
      const store = join(own.folder, "data", "public");
      await writeFile(join(store, "names"), "spoilt");
      const spoilt = await own.run(["rebuild", "--check"]);
      expect([spoilt.code, spoilt.stdout]).toEqual([1, "names: bad signature\n"]);
      expect(spoilt.stderr).toContain(
        "skep: 1 object is not as the database says; `skep rebuild` mends what differs",
      );
      const { stdout } = await own.run(["rebuild", "--check", "--json"]);
      expect(JSON.parse(stdout)).toEqual({ key: "names", difference: "bad signature" });
      expect((await own.run(["verify", store])).code).toBe(1);
      expect((await own.run(["rebuild"])).stderr).toContain(
        "looked at 0 packages: 1 objects written, 0 deleted",
      );
      expect(await own.run(["rebuild", "--check"])).toMatchObject({ code: 0, stdout: "" });
      await rm(store, { recursive: true });
      expect((await own.run(["rebuild"])).code).toBe(0);
      expect(await own.run(["verify", store])).toMatchObject({ code: 0, stdout: "" });
    } finally {
      await own.remove();
    }
  });
});

it("diff tells what the next build would change", async () => {
  const own = await skepFolder();
  try {
    await (await own.serve()).stop();
    expect(await own.run(["diff"])).toMatchObject({
      code: 0,
      stdout: "",
      stderr: "nothing waits to be built\n",
    });
    expect((await own.run(["organization", "create", "acme", "--admin", "admin"])).code).toBe(0);
    const { code, stdout } = await own.run(["diff"]);
    expect([code, stdout.split("\n")]).toEqual([
      0,
      [
        "acme: 1 change, 0 packages to build",
        "  repos/acme/public_key will be written",
        "  repos/acme/versions will be written",
        "  repos/acme/names will be written",
        "",
      ],
    ]);
    const lines = (await own.run(["diff", "--json", "--limit", "1"])).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { repository: "acme", changes: 1, packages: 0, intents: 0 },
      { key: "repos/acme/public_key", action: "create", words: [] },
    ]);
    // A build is to come, so nothing is wrong.
    const checked = await own.run(["rebuild", "--check"]);
    expect([checked.code, checked.stdout.split("\n")[0]]).toEqual([
      0,
      "repos/acme/names: missing (a build is pending)",
    ]);
  } finally {
    await own.remove();
  }
});

it("rebuild --adopt names what only the store has, and goes on without it when it is told to", async () => {
  const own = await skepFolder();
  try {
    await (await own.serve()).stop();
    const tarballs = join(own.folder, "data", "public", "tarballs");
    await mkdir(tarballs, { recursive: true });
    await writeFile(join(tarballs, "late-1.0.0.tar"), "published since the backup");
    const refused = await own.run(["rebuild", "--adopt"]);
    expect([refused.code, refused.stdout]).toEqual([1, "tarballs/late-1.0.0.tar: stray\n"]);
    expect(refused.stderr).toMatch(
      /^skep: 1 object of the public store tells of what the database does not know; nothing was changed/,
    );
    const accepted = await own.run(["rebuild", "--adopt", "--accept-loss"]);
    expect(accepted.code).toBe(0);
    expect(accepted.stderr).toContain("left where they are: 1 objects");
    expect((await own.run(["rebuild"])).stderr).toContain("0 objects written, 0 deleted");
    expect((await own.run(["rebuild", "--check"])).stdout).toBe("tarballs/late-1.0.0.tar: stray\n");
    for (const flags of [["--check", "--adopt"], ["--adopt", "--delete-strays"], ["--accept-loss"]]) {
      expect(await own.run(["rebuild", ...flags])).toMatchObject({
        code: 2,
        stderr: expect.stringMatching(/^skep: --/),
      });
    }
  } finally {
    await own.remove();
  }
});

describe("verify", () => {
  it("a folder: what fails, one a line, and the exit code", async () => {
    const empty = join(skep.folder, "empty");
    await mkdir(empty);
    const text = await skep.run(["verify", empty]);
    expect(text.code).toBe(1);
    expect(text.stdout).toMatch(/^error names: missing: /m);
    expect(text.stderr).toMatch(/^skep: .*empty: \d+ checks failed$/m);
    const lines = (await skep.run(["verify", empty, "--json"])).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line)).slice(0, -1)).toContainEqual(
      expect.objectContaining({ key: "names", check: "missing", severity: "error" }),
    );
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ packages: 0, files: 0 });
  });
});
