import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { keyIdOf } from "../schemas/access-token/keys.ts";
import { RenewedKeys } from "./renewed-keys.ts";

const [first, second] = [newKey(), newKey()];
function newKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
}

let published: () => Promise<readonly KeyObject[]>;
let time: number;
let reads: number;
let failures: unknown[];
let keys: RenewedKeys;
beforeEach(() => {
  [time, reads, failures] = [0, 0, []];
  published = async () => [first];
  keys = new RenewedKeys({
    load() {
      reads += 1;
      return published();
    },
    now: () => time,
    onFailure: (error) => void failures.push(error),
  });
});

const found = async (key: KeyObject) => (await keys.keysFor(keyIdOf(key))).publicKeys;

describe("keys that live elsewhere", () => {
  it("are read once, for a crowd as well", async () => {
    const crowd = await Promise.all(Array.from({ length: 10 }, () => found(first)));
    expect(crowd.map((list) => list.map(keyIdOf))).toEqual(Array(10).fill([keyIdOf(first)]));
    time += 500_000;
    await found(first);
    expect(reads).toBe(1);
  });

  it("are read again for one that is not known, but not for everybody who makes one up", async () => {
    await found(first);
    time += 20_000;
    published = async () => [second, first];
    expect((await found(second)).map(keyIdOf)).toEqual([keyIdOf(second)]);
    expect(reads).toBe(2);
    for (let n = 0; n < 100; n++) {
      time += 50;
      expect((await keys.keysFor(`made up ${n}`)).publicKeys).toEqual([]);
    }
    expect(reads).toBe(2);
    time += 10_000;
    await keys.keysFor("made up");
    expect(reads).toBe(3);
  });

  it("stay while they cannot be read again", async () => {
    await found(first);
    published = () => Promise.reject(new Error("down"));
    for (let hour = 0; hour < 48; hour++) {
      time += 3_600_000;
      expect((await found(first)).map(keyIdOf)).toEqual([keyIdOf(first)]);
    }
    expect(failures.length).toBeGreaterThan(40);
  });

  it("are dropped when they are published no more", async () => {
    await found(first);
    published = async () => [second];
    time += 600_000;
    // The one that notices waits for nothing.
    expect(await found(first)).toHaveLength(1);
    await found(second);
    expect(await found(first)).toEqual([]);
  });

  it("are missing, and asked for again, until they could be read", async () => {
    published = () => Promise.reject(new Error("not up yet"));
    await expect(found(first)).rejects.toThrow("could not be read yet");
    await expect(found(first)).rejects.toThrow("could not be read yet");
    expect(reads).toBe(1);
    published = async () => [first];
    time += 1_000;
    expect(await found(first)).toHaveLength(1);
  });

  it("are all there is for a token that names none", async () => {
    published = async () => [second, first];
    expect((await keys.keysFor(undefined)).publicKeys).toHaveLength(2);
  });
});
