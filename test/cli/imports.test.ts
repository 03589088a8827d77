/** Commands that take in files of others: the CDN's log, a feed of advisories. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readFeed } from "../../cli/advisories/records.ts";
import { packageTarball } from "../support/package-builder.ts";
import { type SkepFolder, skepFolder } from "./skep.ts";

let skep: SkepFolder;
beforeAll(async () => {
  skep = await skepFolder();
});
afterAll(() => skep.remove());

const record = (id: string, parts: object = {}) =>
  JSON.stringify({
    id,
    modified: "2026-02-02T00:00:00Z",
    summary: "Lets anybody in",
    affected: [
      {
        package: { ecosystem: "Hex", name: "example" },
        ranges: [{ type: "SEMVER", events: [{ introduced: "0" }] }],
      },
    ],
    ...parts,
  });

/** A zip archive with deflated entries (PKWARE's APPNOTE, 4.3). */
function zip(files: Readonly<Record<string, string>>, claimedSize?: number): Buffer {
  const [bodies, heads]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const bytes = deflateRawSync(text);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(8, 4);
    common.writeUInt32LE(crc32(text), 10);
    common.writeUInt32LE(bytes.length, 14);
    common.writeUInt32LE(claimedSize ?? Buffer.byteLength(text), 18);
    common.writeUInt16LE(name.length, 22);
    const body = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, Buffer.from(name), bytes]);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    heads.push(Buffer.concat([Buffer.from("PK\u0001\u0002\u0014\u0000"), common, place, Buffer.from(name)]));
    bodies.push(body);
    offset += body.length;
  }
  const directory = Buffer.concat(heads);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(heads.length, 4);
  end.writeUInt16LE(heads.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...bodies, directory, Buffer.from("PK\u0005\u0006"), end]);
}

describe("a feed of advisories", () => {
  const read = async (place: string) => {
    const { advisories, problems, whole } = await readFeed(place);
    return { ids: advisories.map(({ id }) => id), problems, whole };
  };

  it("is a zip, a folder or one file", async () => {
    const files = {
      "EEF-1.json": record("EEF-1"),
      "npm.json": record("GHSA-1", { affected: [{ package: { ecosystem: "npm", name: "x" } }] }),
      "README.md": "hello",
    };
    const archive = join(skep.folder, "all.zip");
    await writeFile(archive, zip(files));
    expect(await read(archive)).toEqual({ ids: ["EEF-1"], problems: [], whole: true });

    const folder = join(skep.folder, "feed", "Hex");
    await mkdir(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
    expect(await read(join(skep.folder, "feed"))).toEqual({ ids: ["EEF-1"], problems: [], whole: true });
    const file = join(folder, "EEF-1.json");
    expect(await read(file)).toEqual({ ids: ["EEF-1"], problems: [], whole: false });
  });

  it("names the records that it cannot use", async () => {
    const archive = join(skep.folder, "some.zip");
    const bad = { "a.json": "{", "b.json": record("../b"), "c.json": record("EEF-1") };
    await writeFile(archive, zip(bad));
    expect(await read(archive)).toEqual({
      ids: ["EEF-1"],
      problems: [expect.stringMatching(/^a\.json: .*JSON/), "b.json: id: is no identifier"],
      whole: true,
    });
  });

  it("is refused when the archive lies or is none", async () => {
    const archive = join(skep.folder, "bad.zip");
    for (const bytes of [
      zip({ "a.json": record("EEF-1") }, 10),
      zip({ "a.json": record("EEF-1") }, 1 << 30),
      zip({ "../a.json": record("EEF-1") }),
      Buffer.from("no zip"),
    ]) {
      await writeFile(archive, bytes);
      await expect(readFeed(archive)).rejects.toThrow(/bad\.zip cannot be read|is too large/);
    }
    await expect(readFeed(join(skep.folder, "none"))).rejects.toThrow("none cannot be read: ENOENT");
  });
});

it("skep advisories import, skep downloads import: beside a running registry", async () => {
  const running = await skep.serve();
  const password = /password:? +(\S+)/.exec(`${running.stdout()}${running.stderr()}`)?.[1];
  const authorization = `Basic ${btoa(`admin:${password}`)}`;
  const headers = { authorization, "user-agent": "test" };
  const published = await fetch(`${skep.url}/api/publish`, {
    method: "POST",
    headers,
    body: new Uint8Array(packageTarball()),
  });
  expect(published.status).toBe(201);

  const feed = join(skep.folder, "now");
  await mkdir(feed);
  await writeFile(join(feed, "a.json"), record("EEF-1"));
  await writeFile(join(feed, "b.json"), record("EEF-2"));
  expect(await skep.run(["advisories", "import", feed, "--prune"])).toMatchObject({
    code: 0,
    stderr: "2 added, 0 changed, 0 removed, 0 as before; 1 packages are built anew\n",
  });
  await writeFile(join(feed, "b.json"), "\u001b[2J");
  const broken = await skep.run(["advisories", "import", feed, "--prune"]);
  expect(broken.code).toBe(1);
  expect(broken.stderr).toMatch(/^left out, .*b\.json: /);
  expect(broken.stderr).toContain("0 added, 0 changed, 0 removed, 1 as before; 0 packages are built anew\n");
  expect(broken.stderr).toContain("skep: 1 records were left out, so nothing was removed\n");
  expect(broken.stderr).not.toContain("\u001b");
  const one = await skep.run(["advisories", "import", join(feed, "a.json"), "--prune"]);
  expect([one.code, one.stderr]).toEqual([
    2,
    "skep: --prune takes a zip or a folder: one record is not all there are\n",
  ]);
  const page = await fetch(`${skep.url}/api/packages/example`, { headers });
  expect(await page.json()).toMatchObject({ security_advisories: [{ id: "EEF-1" }, { id: "EEF-2" }] });

  const day = new Date(Date.now() - 86_400_000).toISOString();
  const line = JSON.stringify({ time: day, method: "GET", url: "/tarballs/example-1.0.0.tar", status: 200 });
  const log = join(skep.folder, "cdn.log.gz");
  await writeFile(log, gzipSync(`${line}\n${line}\n`));
  expect(await skep.run(["downloads", "import", log])).toMatchObject({
    code: 0,
    stderr: `${log}: 2 lines, 2 downloads\n`,
  });
  expect(await skep.run(["downloads", "import", "-", "--source", "more"], {}, line)).toMatchObject({
    code: 0,
  });
  const nameless = await skep.run(["downloads", "import", "-"]);
  expect([nameless.code, nameless.stderr]).toEqual([2, expect.stringContaining("give one with --source")]);
  const missing = await skep.run(["downloads", "import", join(skep.folder, "none.gz")]);
  expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining("cannot be read: ENOENT")]);
  const counted = await fetch(`${skep.url}/api/packages/example`, { headers });
  expect(await counted.json()).toMatchObject({ downloads: { all: 3, recent: 3, week: 3, day: 3 } });

  const short = await fetch(`${skep.url}/api/short_url`, {
    method: "POST",
    headers: { "user-agent": "test", "content-type": "application/json" },
    body: JSON.stringify({ url: `${skep.url}/packages/example` }),
  });
  const { url } = (await short.json()) as { url: string };
  const followed = await fetch(url, { redirect: "manual" });
  expect([followed.status, followed.headers.get("location")]).toEqual([301, `${skep.url}/packages/example`]);
  expect((await fetch(`${skep.url}/l/AAAAA`)).status).toBe(404);
});
