/** The pages of packages, which clients print the address of. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { WebClient } from "./client.ts";

const HOSTILE = `<script>alert(1)</script>"'&`;

let registry: TestRegistry;
const addresses: string[] = [];
beforeAll(async () => {
  registry = await startRegistry({ generator: false, settings: { publishWaitMilliseconds: 0 } });
  await registry.organization("acme", { ann: "write" });
  const key = await registry.key("ann");
  for (const [path, version] of [
    ["/publish", "1.0.0"],
    ["/publish", "1.1.0"],
    ["/publish", "2.0.0-rc.1"],
    ["/repos/acme/publish", "1.0.0"],
  ] as const) {
    const metadata = { version, description: HOSTILE, links: { Home: "https://example.com/?a=1&b=2" } };
    const response = await registry.request(path, {
      method: "POST",
      headers: { authorization: key },
      body: new Uint8Array(packageTarball({ metadata })),
    });
    addresses.push(((await response.json()) as { html_url: string }).html_url);
  }
  const retired = await registry.request("/packages/example/releases/1.0.0/retire", {
    method: "POST",
    headers: { authorization: key, "content-type": "application/json" },
    body: '{"reason":"security","message":"do not"}',
  });
  expect(retired.status).toBe(204);
});
afterAll(() => registry.stop());

const pathOf = (address: string | undefined) => new URL(address ?? "").pathname;

it("is where the answer to a publish leads", async () => {
  const client = new WebClient(registry.url);
  const html = await (await client.send(pathOf(addresses[0]))).text();
  expect(html).toContain("<em>1.0.0</em>");
  expect(html).toContain("Retired: security, do not");
  expect(html).toContain("repo: &quot;local&quot;}");
});

it("shows the latest stable release, every version, and text as text", async () => {
  const html = await (await new WebClient(registry.url).send("/packages/example")).text();
  expect(html).toContain("<em>1.1.0</em>");
  for (const version of ["1.0.0", "1.1.0", "2.0.0-rc.1"])
    expect(html).toContain(`/packages/example/${version}"`);
  expect(html).not.toContain("<script");
  expect(html).toContain('href="https://example.com/?a=1&amp;b=2" rel="nofollow noopener noreferrer"');
});

it("a private one is there for members alone", async () => {
  const path = pathOf(addresses[3]);
  expect(path).toBe("/packages/acme/example/1.0.0");
  const outsider = new WebClient(registry.url);
  for (const hidden of [path, "/packages/acme/example"])
    expect((await outsider.send(hidden)).status).toBe(404);
  await registry.user("eve");
  await outsider.signIn("eve");
  expect((await outsider.send(path)).status).toBe(404);
  const member = new WebClient(registry.url);
  await member.signIn("ann");
  for (const shown of [path, "/packages/acme/example"]) {
    const response = await member.send(shown);
    expect([response.status, response.headers.get("cache-control")]).toEqual([200, "no-store"]);
  }
});

it.each(["/packages/none", "/packages/example/9.0.0", "/packages/none/example", "/packages/acme/none/1.0.0"])(
  "%s: 404",
  async (path) => {
    expect((await new WebClient(registry.url).send(path)).status).toBe(404);
  },
);
