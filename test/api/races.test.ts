/** Requests that meet each other, and what somebody may no longer do by the time it would be done. */
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { ApiStep } from "../../api/settings.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { Gate } from "../support/world.ts";

let registry: TestRegistry;
let ann: string;
let eve: string;
/** Stops the next request at a step, once. */
let hold: { readonly step: ApiStep; readonly gate: Gate } | undefined;

beforeAll(async () => {
  registry = await startRegistry({
    onStep: async (step, phase) => {
      if (phase !== "before" || step !== hold?.step) return;
      const { gate } = hold;
      hold = undefined;
      await gate.pass();
    },
  });
  ann = await registry.key("ann");
  eve = await registry.key("eve");
});
afterAll(() => registry.stop());

function holdAt(step: ApiStep): Gate {
  const gate = new Gate();
  hold = { step, gate };
  return gate;
}

async function publish(name: string, version: string, authorization = ann): Promise<Response> {
  const body = new Uint8Array(packageTarball({ metadata: { name, version } }));
  return registry.request("/publish", { method: "POST", headers: { authorization }, body });
}
const revert = (name: string, version: string) =>
  registry.request(`/packages/${name}/releases/${version}`, {
    method: "DELETE",
    headers: { authorization: ann },
  });
async function versions(name: string): Promise<readonly string[]> {
  const rows = await registry.database.sql<{ version: string }[]>`
    select r.version from releases r join packages p on p.id = r.package_id where p.name = ${name} order by 1`;
  return rows.map((row) => row.version);
}

it("of two that revert one version only the first does, and the rest of the package stays", async () => {
  await publish("pear", "1.0.0");
  await publish("pear", "2.0.0");
  const gate = holdAt("commit");
  const first = revert("pear", "1.0.0");
  await gate.reached;
  expect((await revert("pear", "1.0.0")).status).toBe(204);
  gate.open();
  expect((await first).status).toBe(404);
  expect(await versions("pear")).toEqual(["2.0.0"]);
});

const json = { "content-type": "application/json" };
it.each<[what: string, path: string, init: RequestInit, step: ApiStep]>([
  ["docs", "/docs", { method: "POST", body: new Uint8Array(gzipSync("docs")) }, "stage"],
  ["docs taken back", "/docs", { method: "DELETE" }, "commit"],
  ["a retirement", "/retire", { method: "POST", headers: json, body: '{"reason": "other"}' }, "commit"],
  ["an end of retirement", "/retire", { method: "DELETE" }, "commit"],
])(
  "%s of a release that was reverted and published again meanwhile: 404, and nothing is said to be done",
  async (_, path, init, step) => {
    await publish("plum", "1.0.0");
    const gate = holdAt(step);
    const request = registry.request(`/packages/plum/releases/1.0.0${path}`, {
      ...init,
      headers: { ...init.headers, authorization: ann },
    });
    await gate.reached;
    await revert("plum", "1.0.0");
    await publish("plum", "1.0.0");
    gate.open();
    expect((await request).status).toBe(404);
    await revert("plum", "1.0.0");
  },
);

it("a package that somebody else took over while the tarball was on its way is not published into", async () => {
  await publish("fig", "1.0.0");
  const gate = holdAt("commit");
  const late = publish("fig", "2.0.0");
  await gate.reached;
  await revert("fig", "1.0.0");
  expect((await publish("fig", "5.0.0", eve)).status).toBe(201);
  gate.open();
  const reply = await late;
  expect([reply.status, await reply.json()]).toEqual([
    422,
    expect.objectContaining({ errors: { name: "has already been taken" } }),
  ]);
  expect(await versions("fig")).toEqual(["5.0.0"]);
});

it("an owner who was removed while the tarball was on its way publishes nothing", async () => {
  await publish("kiwi", "1.0.0");
  await registry.own("eve", "kiwi", "maintainer");
  const gate = holdAt("commit");
  const late = publish("kiwi", "2.0.0", eve);
  await gate.reached;
  const removed = await registry.request("/packages/kiwi/owners/eve", {
    method: "DELETE",
    headers: { authorization: ann },
  });
  expect(removed.status).toBe(204);
  gate.open();
  expect((await late).status).toBe(403);
  expect(await versions("kiwi")).toEqual(["1.0.0"]);
});

it("a transfer leaves a full owner, or does nothing", async () => {
  await publish("lime", "1.0.0");
  await registry.own("eve", "lime", "maintainer");
  const transfer = (fields: object) =>
    registry.request("/packages/lime/owners/eve", {
      method: "PUT",
      headers: { ...json, authorization: ann },
      body: JSON.stringify({ transfer: true, ...fields }),
    });
  const refused = await transfer({ level: "maintainer" });
  expect(await refused.json()).toMatchObject({
    errors: { username: "cannot demote the last full owner of a package" },
  });
  expect((await transfer({})).status).toBe(204);
  expect(await (await registry.request("/packages/lime/owners")).json()).toEqual([
    expect.objectContaining({ username: "eve", level: "full" }),
  ]);
});

it("of two accounts with one address one is made", async () => {
  const create = (username: string) =>
    registry.request("/users", {
      method: "POST",
      headers: json,
      body: JSON.stringify({ username, password: "long enough", email: "same@example.com" }),
    });
  const replies = await Promise.all(["one1", "two2", "three3"].map(create));
  expect(replies.map((reply) => reply.status).sort()).toEqual([201, 422, 422]);
});
