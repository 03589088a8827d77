/** The part of the contract of object stores that is about keys: which there are, and how they are listed. */
import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { SkepError } from "../../schemas/errors.ts";
import type { ObjectStore, Precondition } from "../../store/objects/store.ts";

/** @returns the full key of what a test calls by a short one. */
export type KeyOf = (rest: string) => string;

const NONE: Precondition = { kind: "none" };
const ABSENT: Precondition = { kind: "absent" };
const bytes = (text: string): Uint8Array => Buffer.from(text);
const md5 = (body: Uint8Array): string => createHash("md5").update(body).digest("hex");

const REFUSED_KEYS: readonly (readonly [what: string, key: string])[] = [
  ["empty", ""],
  ["absolute", "/a"],
  ["up", "../a"],
  ["up within", "a/../../b"],
  ["up at the end", "a/.."],
  ["here", "./a"],
  ["empty segment", "a//b"],
  ["slash at the end", "a/"],
  ["NUL", "a\0b"],
  ["line break", "a\nb"],
  ["DEL", "a\x7f"],
  ["C1 control", "a\x85b"],
  ["backslash", "a\\b"],
  ["Windows way up", "..\\a"],
  ["half a surrogate pair", "a\ud800"],
  ["hidden folder", ".skep-meta/a"],
  ["hidden folder further down", "a/.skep-tmp"],
  ["too long a segment", "a".repeat(256)],
  ["too long", `${"a/".repeat(512)}a`],
];

/** @returns the code that the promise fails with, undefined when it does not. */
export async function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    if (error instanceof SkepError) return error.code;
    throw error;
  }
}

export function describeList(store: () => ObjectStore, key: KeyOf, manyKeys: number): void {
  async function keysOf(prefix: string): Promise<string[]> {
    const keys: string[] = [];
    for await (const listed of store().list(prefix)) keys.push(listed.key);
    return keys;
  }
  const create = (keys: readonly string[]) =>
    inBatches(keys, (rest) => store().put(key(rest), bytes(rest), { precondition: NONE }));

  it("gives keys in byte order, not in the order of folders or of UTF-16", async () => {
    const inOrder = ["-", "a-b", "a.b", "a/b", "a/b-c", "a0", "aa", "b/c/d", "ä", "\uffee", "😀"];
    await create([...inOrder].reverse());
    expect(await keysOf(key(""))).toEqual(inOrder.map(key));
  });

  it("gives what starts with the prefix, wherever in a segment it ends", async () => {
    await create(["packages/foo", "packages/foobar", "packages/fo", "packages2/foo", "tarballs/foo"]);
    const cases: Record<string, string[]> = {
      "packages/": ["packages/fo", "packages/foo", "packages/foobar"],
      packages: ["packages/fo", "packages/foo", "packages/foobar", "packages2/foo"],
      "packages/foo": ["packages/foo", "packages/foobar"],
      "packages/foo/": [],
      "nothing/here": [],
      ta: ["tarballs/foo"],
    };
    for (const [prefix, expected] of Object.entries(cases))
      expect(await keysOf(key(prefix)), prefix).toEqual(expected.map(key));
  });

  it("gives ETag, size and time", async () => {
    await create(["a"]);
    for await (const listed of store().list(key(""))) {
      expect(listed).toMatchObject({ key: key("a"), etag: md5(bytes("a")), size: 1 });
      expect(Math.abs(listed.lastModified.getTime() - Date.now())).toBeLessThan(5_000);
    }
  });

  it(`gives ${manyKeys} keys, page behind page, and lets a reader stop early`, async () => {
    const rests = Array.from({ length: manyKeys }, (_, index) => `many/${String(index).padStart(5, "0")}`);
    await create(rests);
    expect(await keysOf(key("many/"))).toEqual(rests.map(key));
    for await (const listed of store().list(key("many/"))) {
      expect(listed.key).toBe(key("many/00000"));
      break;
    }
  });

  it.each(["/", "a//", "../", "a/../b", "a\\", "a\0", ".skep-meta/"])(
    "refuses the prefix %j",
    async (prefix) => {
      expect(await codeOf(keysOf(prefix))).toBe("store_key_invalid");
    },
  );
}

export function describeKeys(store: () => ObjectStore, key: KeyOf): void {
  it.each(REFUSED_KEYS)("refuses %s", async (_, refused) => {
    const calls = [
      store().get(refused),
      store().head(refused),
      store().put(refused, bytes("x"), { precondition: NONE }),
      store().delete(refused),
    ];
    for (const call of calls) expect(await codeOf(call)).toBe("store_key_invalid");
  });

  it.each(["a+b~c", "%2e%2e", "a b", "...", ".a", "ü/é", "a:b", "a?b#c", "C:", "con", "a'\"<&>", "𝒳"])(
    "accepts %j",
    async (rest) => {
      await store().put(key(rest), bytes(rest), { precondition: ABSENT });
      expect((await store().get(key(rest)))?.body).toEqual(Buffer.from(rest));
      for await (const listed of store().list(key(""))) expect(listed.key).toBe(key(rest));
      await store().delete(key(rest));
      expect(await store().head(key(rest))).toBeUndefined();
    },
  );
}

async function inBatches<T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> {
  for (let start = 0; start < items.length; start += 16)
    await Promise.all(items.slice(start, start + 16).map(run));
}
