/** 13.1: what is shown of packages, in lists and alone, is what is there, although it is kept. */
import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createApi } from "../../api/app.ts";
import { decodeTerm } from "../../hex/etf/decode.ts";
import { refreshPackageDownloads } from "../../store/queries/downloads.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let key: string;
beforeAll(async () => {
  registry = await startRegistry();
  key = await registry.key("ann");
  await publish("1.0.0");
});
afterAll(() => registry.stop());

const send = async (method: string, path: string, body?: Uint8Array | string) => {
  const json = typeof body === "string" ? { "content-type": "application/json" } : {};
  const headers = { authorization: key, ...json };
  const sent = body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> };
  const response = await registry.request(path, { method, headers, ...sent });
  expect(response.status, await response.text()).toBeLessThan(300);
};
const publish = (version: string, description = "words") =>
  send("POST", "/publish", new Uint8Array(packageTarball({ metadata: { version, description } })));
const RELEASE = "/packages/example/releases";

async function download(count: number): Promise<void> {
  const { sql } = registry.database;
  await sql`
    insert into download_counts (release_id, day, source, downloads)
    select id, '2020-01-01', ${randomUUID()}, ${count} from releases order by id limit 1`;
  await sql.begin((tx) => refreshPackageDownloads(tx, "2020-01-02"));
}

const CHANGES: readonly (readonly [string, () => Promise<void>])[] = [
  ["another release", () => publish("1.1.0")],
  ["another description", () => publish("1.2.0", "other words")],
  ["a release that is replaced", () => publish("1.2.0", "third words")],
  ["a retirement", () => send("POST", `${RELEASE}/1.0.0/retire`, '{"reason":"renamed","message":"one"}')],
  ["another reason", () => send("POST", `${RELEASE}/1.0.0/retire`, '{"reason":"security","message":"two"}')],
  ["none any more", () => send("DELETE", `${RELEASE}/1.0.0/retire`)],
  ["documentation", () => send("POST", `${RELEASE}/1.2.0/docs`, gzipSync(Buffer.alloc(1024)))],
  ["none any more", () => send("DELETE", `${RELEASE}/1.2.0/docs`)],
  ["a release less", () => send("DELETE", `${RELEASE}/1.2.0`)],
  ["downloads", () => download(3)],
  ["more of them", () => download(4)],
];

/** What is shown of a package alone. */
const OF_ONE: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["an owner", () => own("bob", "full")],
  ["another address that everybody sees", () => update(SQL.address)],
  ["none any more", () => update(SQL.hidden)],
  ["another name of an owner", () => update(SQL.name)],
  ["an owner less", () => send("DELETE", "/packages/example/owners/rob")],
  ["an advisory", () => update(SQL.advisory)],
  ["which says something else", () => update(SQL.summary)],
  ["about other releases", () => update(SQL.ranges)],
  ["and is withdrawn", () => update(SQL.withdrawn)],
];
const SQL = {
  address: "update emails set email = 'other@example.com' where email = 'bob@example.com'",
  hidden: "update emails set is_public = false where email = 'other@example.com'",
  name: "update users set username = 'rob' where username = 'bob'",
  advisory: `
    with made as (
      insert into advisories (id, summary, aliases, published_at, modified_at, reference_urls)
      values ('EEF-1', 'bad', '{}', now(), now(), '[]') returning id)
    insert into advisory_packages (repository_id, package, advisory_id, ranges, versions)
    select r.id, 'example', made.id, '[[{"introduced":"0"}]]', '{}' from made, repositories r where r.public`,
  summary: "update advisories set summary = 'worse'",
  ranges: "update advisory_packages set ranges = '[]', versions = '{1.0.0}'",
  withdrawn: "delete from advisory_packages",
};
const update = (text: string) => registry.database.sql.unsafe(text);
const own = async (username: string, level: "full" | "maintainer") => {
  await registry.user(username);
  await registry.own(username, "example", level);
};

it.each([
  ["/packages?sort=downloads", CHANGES],
  ["/packages/example", [...CHANGES, ...OF_ONE]],
] as const)(
  "%s: each change is shown at once, as a process shows it that has kept nothing",
  async (path, changes) => {
    const read = () => registry.request(path);
    let before = await (await read()).text();
    for (const [name, change] of changes) {
      await change();
      const shown = await read();
      const [text, etag] = [await shown.text(), shown.headers.get("etag")];
      expect(text, name).not.toBe(before);
      const fresh = await createApi(registry.deps).request(`/api${path}`, {
        headers: { "user-agent": "test" },
      });
      expect([text, etag], name).toEqual([await fresh.text(), fresh.headers.get("etag")]);
      before = text;
    }
  },
);

it("in both formats, under one ETag", async () => {
  const json = await registry.request("/packages");
  const headers = { accept: "application/vnd.hex+erlang" };
  const term = await registry.request("/packages", { headers });
  expect(term.headers.get("etag")).toBe(json.headers.get("etag"));
  const [entry] = (await json.json()) as { name: string; releases: { inserted_at: string }[] }[];
  const [same] = decodeTerm(new Uint8Array(await term.arrayBuffer())) as {
    releases: { inserted_at: string }[];
  }[];
  const seconds = (text: string | undefined) => text?.replace(/\.\d+Z$/, "Z");
  expect(same?.releases[0]?.inserted_at).toBe(seconds(entry?.releases[0]?.inserted_at));
  const known = { "if-none-match": json.headers.get("etag") ?? "" };
  expect((await registry.request("/packages", { headers: known })).status).toBe(304);
});

it("a package that is gone leaves no entry, and the same name gets a new one", async () => {
  await send("DELETE", `${RELEASE}/1.1.0`);
  await send("DELETE", `${RELEASE}/1.0.0`);
  expect(await (await registry.request("/packages")).text()).toBe("[]");
  await publish("1.0.0", "reborn");
  expect(await (await registry.request("/packages")).text()).toContain("reborn");
});
