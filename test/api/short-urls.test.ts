/** `POST /short_url`, and where its answer leads. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { followShortUrl } from "../../api/handlers/short-urls.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
const settings = { publicUrl: "http://skep.example" };
beforeAll(async () => {
  registry = await startRegistry({ generator: false, settings });
});
afterAll(() => registry.stop());

const shorten = (body: object) =>
  registry.request("/short_url", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
const follow = (code: string) => followShortUrl({ sql: registry.database.pool({ role: "skep_api" }) }, code);

it("row 40, 7.16: gives a short name, without a credential, and the same one again", async () => {
  const url = "http://skep.example/packages/pear?a=b#c";
  const response = await shorten({ url });
  expect(response.status).toBe(201);
  const body = (await response.json()) as { url: string };
  expect(body).toEqual({
    url: expect.stringMatching(/^http:\/\/skep\.example\/l\/[A-HJ-NP-Za-km-z1-9]{5}$/),
  });
  expect(await (await shorten({ url })).json()).toEqual(body);
  const found = await follow(body.url.slice(-5));
  expect([found?.status, found?.headers.get("location")]).toEqual([301, url]);
});

it("an unknown one leads nowhere", async () => {
  for (const code of ["AAAAA", "x", "'''''", "%00aaa"]) expect(await follow(code)).toBeUndefined();
});

it("422 for what it does not shorten", async () => {
  for (const [body, problem] of [
    [{}, "can't be blank"],
    [{ url: "  " }, "can't be blank"],
    [
      { url: "https://evil.example" },
      "domain must match skep.example, *.skep.example, docs.example, *.docs.example, or *.private-docs.example",
    ],
  ] as const) {
    const response = await shorten(body);
    expect([response.status, await response.json()]).toEqual([
      422,
      { status: 422, message: "Validation error(s)", errors: { url: problem } },
    ]);
  }
});
