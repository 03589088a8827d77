/** From nothing to a private package that only the organization's key and members fetch. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { headersOf, tarballOf } from "./package.ts";
import { type SkepFolder, skepFolder } from "./skep.ts";

let skep: SkepFolder;
beforeAll(async () => {
  skep = await skepFolder();
  await skep.serve();
  for (const name of ["ann", "bob", "eve"]) {
    const create = ["user", "create", name, "--email", `${name}@acme.example`, "--password-stdin"];
    expect((await skep.run(create, {}, "long enough")).code).toBe(0);
  }
}, 120_000);
afterAll(() => skep.remove());

const done = async (...words: readonly string[]) => {
  const { code, stdout, stderr } = await skep.run(words);
  expect([code, code === 0 ? "" : stdout + stderr]).toEqual([0, ""]);
  return stdout.trim();
};
const fetched = async (path: string, authorization?: string) => {
  const headers = authorization === undefined ? {} : { authorization };
  return (await fetch(`${skep.url}/repo/${path}`, { headers })).status;
};

it("create, member, key; publish and fetch", async () => {
  await done("organization", "create", "acme", "--admin", "ann");
  await done("organization", "member", "add", "acme", "bob", "--role", "write");
  expect(await done("organization", "list")).toContain("acme");
  const reader = await done("organization", "key", "acme");
  const [bob, eve] = [
    await done("key", "create", "--user", "bob"),
    await done("key", "create", "--user", "eve"),
  ];

  const send = (key: string) =>
    fetch(`${skep.url}/api/repos/acme/packages/secret/releases`, {
      method: "POST",
      headers: headersOf(key),
      body: new Uint8Array(tarballOf("secret", "1.0.0")),
    });
  expect((await send(eve)).status).toBe(404);
  expect((await send(reader)).status).toBe(401);
  expect((await send(bob)).status).toBe(201);

  for (const path of ["repos/acme/packages/secret", "repos/acme/tarballs/secret-1.0.0.tar"]) {
    expect(await fetched(path, reader)).toBe(200);
    expect([401, 403]).toContain(await fetched(path, eve));
    expect(await fetched(path)).toBe(401);
  }
  expect(await fetched("names")).toBe(200);

  await done("organization", "member", "remove", "acme", "bob");
  expect((await send(bob)).status).toBe(404);
  const twice = await skep.run(["organization", "create", "acme"]);
  expect(twice.code).toBe(1);
  expect(twice.stderr).toContain("has already been taken");
});
