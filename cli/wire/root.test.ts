import { Hono } from "hono";
import { expect, it } from "vitest";
import { createRoot } from "./root.ts";

const api = new Hono()
  .get("/api/users", (c) => c.text("users"))
  .notFound((c) => c.json({ status: 404 }, 404));
const web = new Hono()
  .get("/login", (c) => c.html("<p>sign in"))
  .get("/", (c) => c.html("<p>start"))
  .notFound((c) => c.text("not found\n", 404));
const root = createRoot({
  api,
  web,
  shortUrls: async (code) => (code === "AAAAA" ? new Response("short") : undefined),
  keySet: { keys: [] },
  version: "1.2.3",
  page: "hello",
});

it.each([
  ["/", 200, "hello\n"],
  ["/status", 200, '{"status":"ok","version":"1.2.3"}'],
  ["/.well-known/jwks.json", 200, '{"keys":[]}'],
  ["/api/users", 200, "users"],
  // What the API does not know is told in its own form.
  ["/api/none", 404, '{"status":404}'],
  ["/api", 404, '{"status":404}'],
  ["/apis", 404, "not found\n"],
  ["/l/AAAAA", 200, "short"],
  ["/l/none", 404, "not found\n"],
  ["/none", 404, "not found\n"],
  ["/login", 200, "<p>sign in"],
])("%s", async (path, status, body) => {
  const response = await root.request(path);
  expect([response.status, await response.text()]).toEqual([status, body]);
});

it("shows the page at / to browsers", async () => {
  const response = await root.request("/", { headers: { accept: "text/html,*/*;q=0.8" } });
  expect(await response.text()).toBe("<p>start");
});
