/** 13.1-13.3: what is shown of packages is what is there, although it is kept. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createApi } from "../../api/app.ts";
import { importAdvisories } from "../../cli/advisories/import.ts";
import { renameOrganization } from "../../cli/organizations.ts";
import { readOsv } from "../../hex/advisories/osv.ts";
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
const publish = (version: string, metadata: object = {}) =>
  send("POST", "/publish", new Uint8Array(packageTarball({ metadata: { version, ...metadata } })));
const sql = async (statement: string) => void (await registry.database.sql.unsafe(statement));
const PACKAGE = "/packages/example";
const LIST = "/packages?sort=downloads";
const RELEASE = `${PACKAGE}/releases`;

async function download(count: number): Promise<void> {
  await sql(`
    insert into download_counts (release_id, day, source, downloads)
    select id, '2020-01-01', 'log ${count}', ${count} from releases order by id limit 1`);
  await registry.database.sql.begin((tx) => refreshPackageDownloads(tx, "2020-01-02"));
}

/** @param parts of the record of OSV */
async function advise(fixed: string, parts: object = {}): Promise<void> {
  const { deps, database } = registry;
  const [row] = await database.sql<{ id: number }[]>`select id from repositories where public`;
  const ranges = [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed }] }];
  const record = {
    id: "EEF-1",
    modified: "2026-02-02T00:00:00Z",
    published: "2026-02-01T00:00:00Z",
    summary: "It leaks",
    affected: [{ package: { ecosystem: "Hex", name: "example" }, ranges }],
    ...parts,
  };
  await importAdvisories(deps.sql, [readOsv(record)], { repositoryId: row?.id ?? 0, prune: false });
}

/** What is changed, how, and whether lists show it, too. */
const CHANGES: readonly (readonly [string, () => Promise<void>, "everywhere" | "alone"])[] = [
  ["another release", () => publish("1.1.0"), "everywhere"],
  ["another description", () => publish("1.2.0", { description: "other words" }), "everywhere"],
  ["a release that is replaced", () => publish("1.2.0", { description: "third words" }), "everywhere"],
  ["another app", () => publish("1.2.0", { description: "third words", app: "other" }), "alone"],
  ["links", () => publish("1.2.0", { links: { Page: "https://example.com" } }), "everywhere"],
  ["a pre-release", () => publish("2.0.0-rc.1"), "everywhere"],
  [
    "a retirement",
    () => send("POST", `${RELEASE}/1.0.0/retire`, '{"reason":"renamed","message":"one"}'),
    "everywhere",
  ],
  [
    "another reason",
    () => send("POST", `${RELEASE}/1.0.0/retire`, '{"reason":"security","message":"one"}'),
    "everywhere",
  ],
  [
    "another message",
    () => send("POST", `${RELEASE}/1.0.0/retire`, '{"reason":"security","message":"two"}'),
    "everywhere",
  ],
  ["no retirement any more", () => send("DELETE", `${RELEASE}/1.0.0/retire`), "everywhere"],
  [
    "all are retired",
    () => send("POST", `${PACKAGE}/retire`, '{"reason":"deprecated","message":"all"}'),
    "everywhere",
  ],
  ["documentation", () => send("POST", `${RELEASE}/1.2.0/docs`, gzipSync(Buffer.alloc(1024))), "everywhere"],
  ["no documentation any more", () => send("DELETE", `${RELEASE}/1.2.0/docs`), "everywhere"],
  ["a release less", () => send("DELETE", `${RELEASE}/1.2.0`), "everywhere"],
  ["downloads", () => download(3), "everywhere"],
  ["more of them", () => download(4), "everywhere"],
  [
    "another owner",
    async () => {
      await registry.user("ben");
      await send("PUT", `${PACKAGE}/owners/ben`, "{}");
    },
    "alone",
  ],
  ["an owner's address that all may see", () => sql("update emails set is_public = not is_public"), "alone"],
  ["an owner's name", () => sql("update users set username = 'bob' where username = 'ben'"), "alone"],
  ["an owner less", () => send("DELETE", `${PACKAGE}/owners/bob`), "alone"],
  ["an advisory", () => advise("1.0.0"), "alone"],
  ["an advisory of other releases", () => advise("1.1.0"), "alone"],
  ["an advisory in other words", () => advise("1.1.0", { summary: "It leaks more" }), "alone"],
  ["an advisory that is withdrawn", () => advise("1.1.0", { withdrawn: "2026-02-03T00:00:00Z" }), "alone"],
];

const FORMATS = ["application/json", "application/vnd.hex+erlang"] as const;
type Answered = { readonly [Header in "etag" | "last-modified" | "cache-control"]: string | null } & {
  readonly status: number;
  readonly body: string;
};

/** @param fresh by a process that has kept nothing */
async function answer(
  path: string,
  accept: string,
  fresh = false,
  authorization?: string,
): Promise<Answered> {
  const headers = { accept, "user-agent": "test", ...(authorization === undefined ? {} : { authorization }) };
  const api = fresh ? createApi(registry.deps) : undefined;
  const response = await (api?.request(`/api${path}`, { headers }) ?? registry.request(path, { headers }));
  const header = (name: string) => response.headers.get(name);
  return {
    status: response.status,
    body: Buffer.from(await response.arrayBuffer()).toString("latin1"),
    etag: header("etag"),
    "last-modified": header("last-modified"),
    "cache-control": header("cache-control"),
  };
}

it("each change is shown at once, as a process shows it that has kept nothing", async () => {
  /** @returns the ETags by path. */
  const look = async (name: string) => {
    const etags = new Map<string, string | null>();
    for (const path of [PACKAGE, LIST]) {
      for (const accept of FORMATS) {
        const shown = await answer(path, accept);
        expect(shown, `${name}: ${path}`).toEqual(await answer(path, accept, true));
        // And once more, as it is kept now.
        expect(await answer(path, accept), `${name}: ${path}`).toEqual(shown);
        etags.set(path, shown.etag);
      }
    }
    return etags;
  };
  let before = await look("at first");
  for (const [name, change, where] of CHANGES) {
    await change();
    const after = await look(name);
    const changed = [...after.keys()].filter((path) => after.get(path) !== before.get(path));
    expect(changed, name).toEqual(expect.arrayContaining(where === "alone" ? [PACKAGE] : [PACKAGE, LIST]));
    before = after;
  }
});

it("who has it is told so, as long as nothing changes", async () => {
  for (const accept of FORMATS) {
    const { etag } = await answer(PACKAGE, accept);
    const headers = { accept, "if-none-match": etag ?? "" };
    expect((await registry.request(PACKAGE, { headers })).status).toBe(304);
    await publish("1.1.0", { description: `for ${accept}` });
    expect((await registry.request(PACKAGE, { headers })).status).toBe(200);
  }
});

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
  const [alone, aloneTerm] = await Promise.all(FORMATS.map((accept) => answer(PACKAGE, accept)));
  expect(aloneTerm?.etag).toBe(alone?.etag);
  expect(aloneTerm?.body).not.toBe(alone?.body);
});

it("what is kept of a private package is for its readers, and follows its repository to another name", async () => {
  await registry.organization("acme", { ann: "admin" });
  const body = new Uint8Array(packageTarball());
  await registry.request("/repos/acme/publish", { method: "POST", headers: { authorization: key }, body });
  const [accept] = FORMATS;
  const read = async (organization: string, fresh: boolean, authorization?: string) => [
    await answer(`/repos/${organization}/packages/example`, accept, fresh, authorization),
    await answer(`/repos/${organization}/packages`, accept, fresh, authorization),
  ];
  const [alone, list] = await read("acme", false, key);
  expect([alone?.status, list?.status, alone?.["cache-control"]]).toEqual([200, 200, "private, max-age=60"]);
  for (const { status } of await read("acme", false)) expect(status).toBe(404);
  const { settings } = registry.deps;
  await renameOrganization(registry.database.sql, settings, { from: "acme", to: "zenith" });
  const renamed = await read("zenith", false, key);
  expect(renamed).toEqual(await read("zenith", true, key));
  for (const { body } of renamed) expect(body).not.toContain("acme");
  for (const { status } of await read("acme", false, key)) expect(status).toBe(404);
});

it("a package that is gone leaves nothing, and the same name gets a new one", async () => {
  for (const version of ["2.0.0-rc.1", "1.1.0", "1.0.0"]) await send("DELETE", `${RELEASE}/${version}`);
  expect((await answer("/packages", FORMATS[0])).body).toBe("[]");
  expect((await answer(PACKAGE, FORMATS[0])).status).toBe(404);
  await publish("1.0.0", { description: "reborn" });
  for (const path of ["/packages", PACKAGE])
    expect((await answer(path, FORMATS[0])).body).toContain("reborn");
});
