/** Download counts: from a log, into the answers. */
import { Readable } from "node:stream";
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import { importDownloads } from "../../cli/commands/downloads.ts";
import { refreshPackageDownloads } from "../../store/queries/downloads.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { openRowPublisher } from "../support/rows.ts";

let registry: TestRegistry;

beforeAll(async () => {
  registry = await startRegistry({ generator: false });
  const rows = await openRowPublisher(registry.database.sql, registry.privateStore);
  await rows.publish("pear", "1.0.0");
  await rows.publish("pear", "1.1.0");
  await rows.publish("plum", "1.0.0");
  const acme = await openRowPublisher(registry.database.sql, registry.privateStore, {
    name: "acme",
    public: false,
  });
  await acme.publish("pear", "1.0.0");
});
afterAll(() => registry.stop());
beforeEach(async () => {
  await registry.database.sql`truncate download_counts, package_downloads`;
});

const line = (day: string, path: string, status = 200) =>
  JSON.stringify({ time: `${day}T12:00:00Z`, method: "GET", url: path, status });
const PEAR = "/tarballs/pear-1.0.0.tar";

/** As the command line does it, a day after the last. */
async function load(source: string, lines: readonly string[], today = "2026-08-22"): Promise<string> {
  const sql = registry.database.pool({ role: "skep_api", max: 1 });
  const said = await importDownloads(sql, source, Readable.from([Buffer.from(lines.join("\n"))]));
  await sql.begin((tx) => refreshPackageDownloads(tx, today));
  return said;
}

async function get(path: string): Promise<{ downloads: unknown }> {
  const response = await registry.request(path);
  expect(response.status).toBe(200);
  return (await response.json()) as { downloads: unknown };
}
const ofPackage = async (name = "pear") => (await get(`/packages/${name}`)).downloads;
const ofRelease = async (query = "") => (await get(`/packages/pear/releases/1.0.0${query}`)).downloads;

describe("13.3: windows of a package", () => {
  it("end yesterday, and those without a count are left out", async () => {
    await load("a", [
      line("2026-08-22", PEAR), // today
      line("2026-08-21", PEAR), // day
      line("2026-08-15", PEAR), // week, its first day
      line("2026-08-14", PEAR), // recent
      line("2026-05-24", "/tarballs/pear-1.1.0.tar"), // recent, its first day
      line("2026-05-23", PEAR), // all
      line("2026-08-14", "/tarballs/plum-1.0.0.tar"),
      line("2026-05-23", "/repos/acme/tarballs/pear-1.0.0.tar"),
    ]);
    expect(await ofPackage()).toEqual({ all: 6, recent: 4, week: 2, day: 1 });
    expect(await ofPackage("plum")).toEqual({ all: 1, recent: 1 });
    const response = await registry.request("/packages?search=name:pear");
    expect(await response.json()).toMatchObject([{ downloads: { all: 6, recent: 4, week: 2, day: 1 } }]);
    const [acme] = await registry.database.sql<{ total: number; recent: number | null }[]>`
      select d.total, d.recent from package_downloads d join packages p on p.id = d.package_id
        join repositories r on r.id = p.repository_id where r.name = 'acme'`;
    expect(acme).toEqual({ total: 1, recent: null });
  });

  it("are none before anything was counted", async () => {
    expect(await ofPackage()).toEqual({});
  });

  it("slide with each import", async () => {
    await load("a", [line("2026-08-21", PEAR)]);
    await load("b", [line("2026-08-22", PEAR), line("2026-08-22", PEAR)], "2026-08-23");
    expect(await ofPackage()).toEqual({ all: 3, recent: 3, week: 3, day: 2 });
  });
});

describe("an import", () => {
  it("of the same log again changes nothing", async () => {
    const lines = [line("2026-08-20", PEAR), line("2026-08-21", PEAR), line("2026-08-21", PEAR, 304)];
    expect(await load("a", lines)).toBe("3 lines, 3 downloads");
    expect(await load("a", lines)).toBe("3 lines, 3 downloads");
    expect(await ofRelease("?downloads=day")).toEqual([
      ["2026-08-20", 1],
      ["2026-08-21", 2],
    ]);
  });

  it("replaces what the same source said of a day, and leaves other days and sources alone", async () => {
    await load("a", [line("2026-08-20", PEAR), line("2026-08-21", PEAR), line("2026-08-21", PEAR)]);
    await load("b", [line("2026-08-21", PEAR)]);
    await load("a", [line("2026-08-21", "/names")]);
    expect(await ofRelease("?downloads=day")).toEqual([
      ["2026-08-20", 1],
      ["2026-08-21", 1],
    ]);
  });

  it("says what it has left out", async () => {
    const lines = [line("2026-08-21", PEAR), line("2026-08-21", "/tarballs/none-1.0.0.tar"), "???", ""];
    expect(await load("a", lines)).toBe(
      "3 lines, 1 downloads, 1 of releases that are not here, 1 lines could not be read",
    );
  });

  it("refuses what is no log", async () => {
    await expect(load("a", ["hello", "there"])).rejects.toThrow("a is in no format that is known");
  });

  it("keeps nothing of a log that breaks off", async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from(`${line("2026-08-21", PEAR)}\n`);
        throw new Error("disk");
      })(),
    );
    await expect(importDownloads(registry.database.sql, "a", broken)).rejects.toThrow("cannot be read: disk");
    expect(await ofRelease()).toEqual([]);
  });

  it("reads lines that come in pieces", async () => {
    const bytes = Buffer.from(`${line("2026-08-21", PEAR)}\r\n${line("2026-08-21", PEAR)}`);
    const pieces = [...bytes].map((byte) => Buffer.of(byte));
    expect(await importDownloads(registry.database.sql, "a", Readable.from(pieces))).toBe(
      "2 lines, 2 downloads",
    );
  });

  it("forgets a release with its counts", async () => {
    const { sql } = registry.database;
    await load("a", [line("2026-08-21", "/tarballs/plum-1.0.0.tar")]);
    await sql`delete from packages where name = 'plum'`;
    expect(await sql`select from download_counts`).toHaveLength(0);
    expect(await sql`select from package_downloads`).toHaveLength(0);
  });
});

describe("13.4: a release", () => {
  test.each([
    ["", 6],
    ["?downloads=all", 6],
    ["?downloads=year", 6],
    [
      "?downloads=day",
      [
        ["2026-06-30", 1],
        ["2026-07-01", 2],
        ["2026-08-21", 3],
      ],
    ],
    [
      "?downloads=month",
      [
        ["2026-06", 1],
        ["2026-07", 2],
        ["2026-08", 3],
      ],
    ],
    ["?downloads=all&downloads_after=2026-07-01", 5],
    ["?downloads_before=2026-07-01", 3],
    ["?downloads=day&downloads_after=2026-07-01&downloads_before=2026-07-01", [["2026-07-01", 2]]],
    ["?downloads=month&downloads_after=2026-07-02", [["2026-08", 3]]],
    ["?downloads_after=soon&downloads_before=2026-02-30", 6],
    ["?downloads_after=2026-07-01T00:00:00Z", 6],
    ["?downloads_after=0000-01-01", 6],
    ["?downloads=day&downloads_after=2027-01-01", []],
  ])("%s", async (query, downloads) => {
    const day = (text: string, count: number) => Array.from({ length: count }, () => line(text, PEAR));
    await load("a", [...day("2026-06-30", 1), ...day("2026-07-01", 2), ...day("2026-08-21", 3)]);
    expect(await ofRelease(query)).toEqual(downloads);
  });

  it("without any count has an empty list, whatever is asked for", async () => {
    for (const query of ["", "?downloads=all", "?downloads=day", "?downloads=month"]) {
      expect(await ofRelease(query)).toEqual([]);
    }
  });

  it("tells mix and rebar3 the same", async () => {
    await load("a", [line("2026-08-21", PEAR)]);
    const response = await registry.request("/packages/pear/releases/1.0.0?downloads=day", {
      headers: { accept: "application/vnd.hex+erlang" },
    });
    expect(Buffer.from(await response.arrayBuffer()).toString("latin1")).toContain("2026-08-21a\u0001");
  });
});
