/** Advisories: from a feed, into the API's answers and into the registry files. */
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ImportReport, importAdvisories } from "../../cli/advisories/import.ts";
import { checkBucket } from "../../generator/check.ts";
import { type Advisory, readOsv } from "../../hex/advisories/osv.ts";
import { decodePackage, decodeVersions } from "../../proto/registry.ts";
import { verifySigned } from "../../proto/sign.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { testSigner } from "../support/signing.ts";

let registry: TestRegistry;
let repositoryId: number;
let key: string;

beforeAll(async () => {
  registry = await startRegistry();
  key = await registry.key("ann");
  const [row] = await registry.database.sql<
    { id: number }[]
  >`select id from repositories where name = 'local'`;
  repositoryId = row?.id ?? 0;
  for (const version of ["1.0.0", "1.5.0", "2.0.0-rc.1"]) await publish("pear", version);
  await publish("plum", "1.0.0");
});
afterAll(() => registry.stop());

async function publish(name: string, version: string): Promise<void> {
  const body = new Uint8Array(packageTarball({ metadata: { name, version } }));
  const response = await registry.request("/publish", {
    method: "POST",
    headers: { authorization: key },
    body,
  });
  expect(response.status).toBe(201);
}

function advisory(id: string, names: readonly string[], parts: object = {}): Advisory {
  const ranges = [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "1.5.0" }] }];
  return readOsv({
    id,
    modified: "2026-02-02T00:00:00Z",
    published: "2026-02-01T00:00:00.5Z",
    summary: `About ${id}`,
    aliases: ["CVE-2026-0001"],
    severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H" }],
    references: [{ type: "WEB", url: "https://example.com/a" }],
    affected: names.map((name) => ({ package: { ecosystem: "Hex", name }, ranges })),
    ...parts,
  });
}

function load(advisories: readonly Advisory[], prune = false): Promise<ImportReport> {
  return importAdvisories(registry.database.pool({ role: "skep_api", max: 2 }), advisories, {
    repositoryId,
    prune,
  });
}

/** Waits for the builds that an import has asked for. */
async function built(): Promise<void> {
  await expect
    .poll(() => registry.database.sql`select from changes where visible_at is null`, { timeout: 10_000 })
    .toHaveLength(0);
}

const payload = async (name: string): Promise<Uint8Array> => {
  const object = await registry.publicStore.get(name as never);
  return verifySigned(gunzipSync(object?.body ?? Buffer.alloc(0)), testSigner().publicKeyPem);
};
const packageFile = async (name: string) => decodePackage(await payload(`packages/${name}`));
const flagged = async (name: string) => {
  const { packages } = decodeVersions(await payload("versions"));
  const found = packages.find((each) => each.name === name);
  return found?.withAdvisories.map((index) => found.versions[index]);
};
const answer = async (path: string) => (await (await registry.request(path)).json()) as Record<string, never>;
const shown = async (path: string) =>
  (await answer(path)).security_advisories as unknown as readonly { id: string }[];
const revision = async (name: string) => (await packageFile(name)).revision ?? 0;

describe("an import", () => {
  const first = advisory("EEF-1", ["pear"]);
  const open = advisory("EEF-0", ["pear", "plum", "unknown"], {
    published: "2026-01-01T00:00:00Z",
    severity: [],
    references: [],
    aliases: [],
    affected: ["pear", "plum", "unknown"].map((name) => ({
      package: { ecosystem: "Hex", name },
      ranges: [{ type: "SEMVER", events: [{ introduced: "1.5.0" }] }],
    })),
  });

  it("builds the packages that it is about, and no other", async () => {
    expect(await load([first])).toEqual({
      added: 1,
      changed: 0,
      removed: 0,
      unchanged: 0,
      packages: ["pear"],
    });
    await built();
    const file = await packageFile("pear");
    expect(file.advisories).toEqual([
      {
        id: "EEF-1",
        summary: "About EEF-1",
        htmlUrl: "https://osv.dev/vulnerability/EEF-1",
        apiUrl: "https://api.osv.dev/v1/vulns/EEF-1",
        severity: "high",
        cvssScore: 7.5,
        aliases: ["CVE-2026-0001"],
      },
    ]);
    expect(file.releases.map((release) => [release.version, release.advisoryIndexes])).toEqual([
      ["1.0.0", [0]],
      ["1.5.0", []],
      ["2.0.0-rc.1", []],
    ]);
    expect(await flagged("pear")).toEqual(["1.0.0"]);
    expect(await flagged("plum")).toEqual([]);
  });

  it("of the same again changes nothing", async () => {
    const before = await revision("pear");
    expect(await load([first])).toEqual({ added: 0, changed: 0, removed: 0, unchanged: 1, packages: [] });
    await built();
    expect(await revision("pear")).toBe(before);
  });

  it("orders advisories by id, and leaves out those that no release is in", async () => {
    expect(await load([first, open])).toMatchObject({ added: 1, unchanged: 1, packages: ["pear", "plum"] });
    await built();
    const file = await packageFile("pear");
    expect(file.advisories.map(({ id }) => id)).toEqual(["EEF-0", "EEF-1"]);
    expect(file.advisories[0]).not.toHaveProperty("severity");
    expect(file.releases.map(({ advisoryIndexes }) => advisoryIndexes)).toEqual([[1], [0], [0]]);
    expect((await packageFile("plum")).advisories).toEqual([]);
    expect(await flagged("pear")).toEqual(["1.0.0", "1.5.0", "2.0.0-rc.1"]);
  });

  it("7.6, 7.7: is in the answers of the API", async () => {
    const whole = {
      id: "EEF-1",
      summary: "About EEF-1",
      aliases: ["CVE-2026-0001"],
      published_at: "2026-02-01T00:00:00Z",
      modified_at: "2026-02-02T00:00:00Z",
      withdrawn_at: null,
      cvss_vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H",
      cvss_score: 7.5,
      cvss_rating: "high",
      references: [{ type: "WEB", url: "https://example.com/a" }],
      affected: ["< 1.5.0"],
      api_url: "https://api.osv.dev/v1/vulns/EEF-1",
      html_url: "https://osv.dev/vulnerability/EEF-1",
    };
    const other = {
      id: "EEF-0",
      affected: [">= 1.5.0"],
      cvss_vector: null,
      cvss_score: null,
      cvss_rating: null,
    };
    const both = await shown("/packages/pear");
    expect(both[0]).toEqual(whole);
    expect(both).toMatchObject([whole, other]);
    expect(await shown("/packages/pear/releases/1.0.0")).toEqual([whole]);
    expect(await shown("/packages/pear/releases/1.5.0")).toMatchObject([other]);
    expect(await shown("/packages/plum/releases/1.0.0")).toEqual([]);
    const list = (await answer("/packages")) as unknown as readonly object[];
    for (const entry of list) expect(entry).not.toHaveProperty("security_advisories");
  });

  it("1.2: and in those for mix and rebar3, with a float for the score", async () => {
    const response = await registry.request("/packages/pear", {
      headers: { accept: "application/vnd.hex+erlang" },
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    expect(bytes.toString("latin1")).toContain("2026-02-01T00:00:00Z");
    const score = Buffer.alloc(9, 70);
    score.writeDoubleBE(7.5, 1);
    expect(bytes.includes(score)).toBe(true);
  });

  it("1.5: the ETag changes with the advisories", async () => {
    const etag = async () => (await registry.request("/packages/plum")).headers.get("etag");
    const before = await etag();
    await load([advisory("EEF-2", ["plum"])]);
    expect(await etag()).not.toBe(before);
    await built();
  });

  it("a release that is published later is in it, too", async () => {
    await publish("pear", "1.4.0");
    expect(await flagged("pear")).toEqual(["1.0.0", "1.4.0", "1.5.0", "2.0.0-rc.1"]);
  });

  it("a package that is published later is in it, too", async () => {
    await publish("unknown", "1.6.0");
    expect((await packageFile("unknown")).releases.map(({ advisoryIndexes }) => advisoryIndexes)).toEqual([
      [0],
    ]);
  });

  it("withdrawn, it is nowhere", async () => {
    const withdrawn = { ...first, withdrawnAt: "2026-03-01T00:00:00.000Z" };
    expect(await load([withdrawn])).toMatchObject({ changed: 1, packages: ["pear"] });
    await built();
    expect((await packageFile("pear")).advisories.map(({ id }) => id)).toEqual(["EEF-0"]);
    expect((await shown("/packages/pear")).map(({ id }) => id)).toEqual(["EEF-0"]);
    // What nobody sees is not built for.
    const again = { ...withdrawn, summary: "Other words" };
    expect(await load([again])).toMatchObject({ changed: 1, packages: [] });
  });

  it("takes away a package that it is no longer about", async () => {
    const narrower = advisory("EEF-0", ["pear"]);
    expect(await load([narrower])).toMatchObject({ changed: 1, packages: ["pear", "plum", "unknown"] });
    await built();
    expect((await packageFile("unknown")).advisories).toEqual([]);
  });

  it("--prune removes what is not in the feed; without it that stays", async () => {
    expect(await load([])).toMatchObject({ removed: 0, packages: [] });
    expect(await load([advisory("EEF-0", ["pear"])], true)).toMatchObject({ removed: 2, packages: ["plum"] });
    await built();
    expect(await flagged("plum")).toEqual([]);
    const rows = await registry.database.sql`select id from advisories`;
    expect(rows.map(({ id }) => id)).toEqual(["EEF-0"]);
  });

  it("the bucket is what a full build would make of the rows", async () => {
    expect(await checkBucket(registry.generator)).toEqual([]);
  });

  it("that fails changes nothing and builds nothing", async () => {
    const before = await revision("pear");
    const broken = { ...advisory("EEF-9", ["pear"]), cvss: { score: 1, rating: "terrible" as never } };
    await expect(load([advisory("EEF-8", ["pear"]), broken])).rejects.toThrow("violates check constraint");
    expect(await registry.database.sql`select from advisories where id in ('EEF-8', 'EEF-9')`).toHaveLength(
      0,
    );
    await built();
    expect(await revision("pear")).toBe(before);
  });

  it("beside publishes of the same packages", async () => {
    const rounds = Array.from({ length: 6 }, (_, index) => index);
    await Promise.all([
      ...rounds.map((index) => publish("pear", `1.0.${index + 1}`)),
      ...rounds.map((index) => publish(`new_${index}`, "1.0.0")),
      ...rounds.map((index) => load([advisory(`EEF-1${index}`, ["pear", "plum", `new_${index}`])])),
    ]);
    await built();
    for (const index of rounds) {
      expect((await packageFile(`new_${index}`)).advisories.map(({ id }) => id)).toEqual([`EEF-1${index}`]);
    }
    expect((await packageFile("pear")).advisories).toHaveLength(7);
    expect(await checkBucket(registry.generator)).toEqual([]);
  });
});
