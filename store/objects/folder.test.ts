import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openFolderStore } from "./folder.ts";
import { sidecarPath } from "./folder-sidecar.ts";
import type { ObjectStore } from "./store.ts";

const NONE = { precondition: { kind: "none" } } as const;
const body = (text: string) => Buffer.from(text);
const md5 = (text: string) => createHash("md5").update(text).digest("hex");

let outside: string;
let folder: string;
let store: ObjectStore;
beforeEach(async () => {
  outside = await mkdtemp(join(tmpdir(), "skep-folder-"));
  folder = join(outside, "store");
  store = await openFolderStore(folder);
});
afterEach(() => rm(outside, { recursive: true, force: true }));

const sidecar = (key: string) => sidecarPath(join(folder, ".skep-meta"), key);
const put = (key: string, text: string, metadata?: Record<string, string>) =>
  store.put(key, body(text), { ...NONE, ...(metadata && { metadata }) });
/** As another process sees it, or this one after a restart. */
const reopened = () => openFolderStore(folder);

describe("the folder", () => {
  it("holds plain files at their keys, and nothing else but hidden folders", async () => {
    await put("names", "1");
    await put("packages/foo", "22");
    expect((await readdir(folder)).sort()).toEqual([
      ".skep-lock",
      ".skep-meta",
      ".skep-tmp",
      "names",
      "packages",
    ]);
    expect(await readFile(join(folder, "packages/foo"), "utf8")).toBe("22");
    expect(await readdir(join(folder, ".skep-tmp"))).toEqual([]);
    expect(await readdir(join(folder, ".skep-lock"))).toEqual([]);
  });

  it("may be reached through a link", async () => {
    await symlink(folder, join(outside, "link"));
    const linked = await openFolderStore(join(outside, "link"));
    await linked.put("a/b", body("1"), NONE);
    expect((await store.get("a/b"))?.size).toBe(1);
  });

  it("loses directories that are empty, so that their names are free", async () => {
    await put("a/b/c", "1");
    await put("a/d", "1");
    await store.delete("a/b/c");
    await put("a/b", "1");
    await store.delete("a/b");
    await store.delete("a/d");
    await put("a", "1");
    expect((await store.get("a"))?.size).toBe(1);
  });

  it("makes a directory again that another process removed", async () => {
    await put("a/b/c", "1");
    await (await reopened()).delete("a/b/c");
    await put("a/b/c", "1");
    expect((await store.get("a/b/c"))?.size).toBe(1);
  });

  it("survives deletions and creations in one directory at once", async () => {
    const other = await reopened();
    const work = async (own: ObjectStore, key: string) => {
      for (let round = 0; round < 30; round++) {
        await own.put(key, body(key), NONE);
        await own.delete(key);
      }
      await own.put(key, body(key), NONE);
    };
    await Promise.all([work(store, "d/e/a"), work(other, "d/e/b"), work(store, "d/c")]);
    for (const key of ["d/e/a", "d/e/b", "d/c"]) expect((await store.get(key))?.body).toEqual(body(key));
  });

  it("says what is wrong when one key would lie in another", async () => {
    await put("a", "1");
    await expect(put("a/b", "1")).rejects.toThrow(/"a\/b" needs a folder where an object/);
    await put("c/d", "1");
    await expect(put("c", "1")).rejects.toThrow(/"c" is a folder that holds other objects/);
    for (const key of ["a/b", "c"]) {
      await expect(put(key, "1")).rejects.toMatchObject({ code: "store_key_invalid" });
      expect(await store.get(key)).toBeUndefined();
      expect(await store.head(key)).toBeUndefined();
      await store.delete(key);
    }
    expect((await store.get("c/d"))?.size).toBe(1);
  });

  it("removes what a killed process left, but nothing that is still being written", async () => {
    await put("a", "1");
    const temporary = join(folder, ".skep-tmp");
    for (const name of ["old", "new"]) await writeFile(join(temporary, name), "");
    const hoursAgo = Date.now() / 1_000 - 7_200;
    await utimes(join(temporary, "old"), hoursAgo, hoursAgo);
    await reopened();
    expect(await readdir(temporary)).toEqual(["new"]);
  });

  it("reports what the system says", async () => {
    await writeFile(join(outside, "file"), "");
    await expect(openFolderStore(join(outside, "file/store"))).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("ENOTDIR"),
    });
    await rm(folder, { recursive: true });
    await expect(put("a/b", "1")).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await store.get("a/b")).toBeUndefined();
  });
});

describe("a file and what is known of it", () => {
  it("before the rename, the old object's record is still there", async () => {
    await put("a", "one", { n: "1" });
    await link(join(folder, "a"), join(outside, "kept"));
    await put("a", "two", { n: "2" });
    // As if the process had been killed after it had written the sidecar of "two".
    await rename(join(outside, "kept"), join(folder, "a"));
    for (const opened of [store, await reopened()])
      expect(await opened.head("a")).toMatchObject({ etag: md5("one"), metadata: { n: "1" } });
  });

  const lost: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["missing", () => unlink(sidecar("a"))],
    ["empty", () => writeFile(sidecar("a"), "")],
    [
      "torn",
      async () => {
        const text = await readFile(sidecar("a"), "utf8");
        await writeFile(sidecar("a"), text.slice(0, text.length / 2));
      },
    ],
    ["zeros", async () => writeFile(sidecar("a"), Buffer.alloc((await stat(sidecar("a"))).size))],
    ["null", () => writeFile(sidecar("a"), "null")],
    ["of other types", () => writeFile(sidecar("a"), '{"key":"a","records":[{"metadata":{"n":1}},7,null]}')],
    [
      "of another key",
      async () => {
        await put("b", "one", { n: "2" });
        await copyFile(sidecar("b"), sidecar("a"));
      },
    ],
  ];
  it.each(lost)("sidecar %s: the ETag is right, metadata is none", async (_, damage) => {
    await put("a", "one", { n: "1" });
    await damage();
    for (const found of [await (await reopened()).head("a"), await (await reopened()).get("a")])
      expect(found).toMatchObject({ etag: md5("one"), size: 3, metadata: {}, contentType: undefined });
    const { etag } = await store.put("a", body("two"), {
      precondition: { kind: "match", etag: md5("one") },
      metadata: { n: "2" },
    });
    expect(await (await reopened()).head("a")).toMatchObject({ etag, metadata: { n: "2" } });
  });

  it("written by another program: the ETag is that of the new bytes, metadata is none", async () => {
    await put("a", "one", { n: "1" });
    expect((await store.head("a"))?.metadata).toEqual({ n: "1" });
    await writeFile(join(folder, "a"), "two");
    expect(await store.head("a")).toMatchObject({ etag: md5("two"), metadata: {} });
    await expect(
      store.put("a", body("three"), { precondition: { kind: "match", etag: md5("one") } }),
    ).rejects.toMatchObject({ code: "store_precondition" });
  });

  it("copied with its sidecar: a record with the right ETag holds", async () => {
    await put("a", "one", { n: "1" });
    await copyFile(join(folder, "a"), join(outside, "copy"));
    await rename(join(outside, "copy"), join(folder, "a"));
    expect(await (await reopened()).head("a")).toMatchObject({ etag: md5("one"), metadata: { n: "1" } });
  });

  it("copied without hidden folders: everything is there but metadata", async () => {
    await put("packages/a", "one", { n: "1" });
    const copy = join(outside, "copy");
    await mkdir(join(copy, "packages"), { recursive: true });
    await copyFile(join(folder, "packages/a"), join(copy, "packages/a"));
    const found = await (await openFolderStore(copy)).get("packages/a");
    expect(found).toMatchObject({ etag: md5("one"), body: body("one"), metadata: {} });
  });

  // Inodes are given again at once and the system's clock stands still between two ticks.
  it("is not confused by objects of one size that follow each other at once", async () => {
    const other = await reopened();
    for (let round = 0; round < 100; round++) {
      await put("a", `text ${round + 100}`, { n: String(round) });
      expect(await other.head("a")).toMatchObject({
        etag: md5(`text ${round + 100}`),
        metadata: { n: String(round) },
      });
    }
  });
});

describe("links out of the folder (attack: read or write a file elsewhere)", () => {
  beforeEach(async () => {
    await mkdir(join(outside, "secret"));
    await writeFile(join(outside, "secret/key"), "secret");
    await mkdir(join(folder, "dir"));
  });

  async function expectRefused(key: string): Promise<void> {
    const refused = { code: "store_key_invalid", message: expect.stringContaining("symbolic link") };
    for (const opened of [store, await reopened()]) {
      await expect(opened.get(key)).rejects.toMatchObject(refused);
      await expect(opened.head(key)).rejects.toMatchObject(refused);
      await expect(opened.delete(key)).rejects.toMatchObject(refused);
      await expect(opened.put(key, body("x"), NONE)).rejects.toMatchObject({ code: "store_key_invalid" });
    }
    expect(await readFile(join(outside, "secret/key"), "utf8")).toBe("secret");
    expect(await readdir(join(outside, "secret"))).toEqual(["key"]);
    for await (const listed of store.list("")) expect.unreachable(listed.key);
  }

  it("a file", async () => {
    await symlink(join(outside, "secret/key"), join(folder, "dir/key"));
    await expectRefused("dir/key");
  });

  it("a directory", async () => {
    await symlink(join(outside, "secret"), join(folder, "dir/deeper"));
    await expectRefused("dir/deeper/key");
  });

  it("a relative one, within the folder", async () => {
    await symlink("../../secret", join(folder, "dir/deeper"));
    await expectRefused("dir/deeper/key");
  });

  it("a directory that was an honest one before", async () => {
    await put("dir/deeper/key", "honest");
    expect((await store.get("dir/deeper/key"))?.size).toBe(6);
    await rename(join(folder, "dir/deeper"), join(outside, "moved"));
    await symlink(join(outside, "secret"), join(folder, "dir/deeper"));
    await expectRefused("dir/deeper/key");
  });

  it("a new object behind one", async () => {
    await symlink(join(outside, "secret"), join(folder, "dir/deeper"));
    await expect(put("dir/deeper/new", "x")).rejects.toMatchObject({ code: "store_key_invalid" });
    await expect(put("dir/deeper/and/new", "x")).rejects.toMatchObject({ code: "store_key_invalid" });
    expect(await readdir(join(outside, "secret"))).toEqual(["key"]);
  });
});

it.runIf(process.platform !== "win32")("a named pipe is no object, and holds up nobody", async () => {
  await promisify(execFile)("mkfifo", [join(folder, "pipe")]);
  expect(await store.get("pipe")).toBeUndefined();
  expect(await store.head("pipe")).toBeUndefined();
  for await (const listed of store.list("")) expect.unreachable(listed.key);
});
