/**
 * A process of its own for the tests of the folder store: writes until it is killed, or counts together with
 * others. Arguments: what to do, the folder.
 */
import { createHash, randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { hasCode } from "../../schemas/errors.ts";
import { openFolderStore } from "../../store/objects/folder.ts";
import type { ObjectStore } from "../../store/objects/store.ts";

const [, , task = "", folder = ""] = process.argv;

/** Says `KEY NUMBER` on stdout as soon as a PUT has returned; at once, as this process will be killed. */
async function writeForEver(store: ObjectStore, key: string): Promise<never> {
  for (let number = await numberOf(store, key); ; number++) {
    const body = randomBytes(1 + Math.floor(Math.random() * 60_000));
    const digest = createHash("sha256").update(body).digest("hex");
    const metadata = { number: String(number), digest };
    await store.put(key, body, { precondition: { kind: "none" }, metadata });
    writeSync(1, `${key} ${number}\n`);
  }
}

async function numberOf(store: ObjectStore, key: string): Promise<number> {
  return Number((await store.head(key))?.metadata.number ?? 0) + 1;
}

/** Adds one, `times` times, with nothing but conditional writes to keep others away. */
async function count(store: ObjectStore, key: string, times: number): Promise<void> {
  for (let done = 0; done < times; ) {
    const found = await store.get(key);
    const next = Buffer.from(String(Number(Buffer.from(found?.body ?? []).toString() || 0) + 1));
    const precondition =
      found === undefined ? ({ kind: "absent" } as const) : ({ kind: "match", etag: found.etag } as const);
    try {
      await store.put(key, next, { precondition });
      done += 1;
    } catch (error) {
      if (!hasCode(error, "store_precondition")) throw error;
    }
  }
}

const store = await openFolderStore(folder);
if (task === "write") {
  await Promise.all(["names", "packages/a", "packages/b"].map((key) => writeForEver(store, key)));
} else {
  await count(store, "counter", 100);
}
