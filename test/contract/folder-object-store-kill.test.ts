/** The folder store under kill -9, and with several processes at once. */
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, it } from "vitest";
import { openFolderStore } from "../../store/objects/folder.ts";

const SCRIPT = join(import.meta.dirname, "object-store-writer.ts");
const KEYS = ["names", "packages/a", "packages/b"];
const ROUNDS = 6;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-folder-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function writer(task: string) {
  return spawn(process.execPath, ["--import", "tsx", SCRIPT, task, folder], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** Runs a writer and kills it at once after that many PUTs. @returns the last number told for each key. */
async function writeAndKill(puts: number): Promise<ReadonlyMap<string, number>> {
  const child = writer("write");
  const told = new Map<string, number>();
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [key = "", number = ""] = line.split(" ");
    told.set(key, Number(number));
    lines += 1;
    if (lines === puts) child.kill("SIGKILL");
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return told;
}

it(`leaves whole objects behind when it is killed, ${ROUNDS} times`, async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const told = await writeAndKill(5 + round * 7);
    expect(told.size).toBeGreaterThan(0);
    const store = await openFolderStore(folder);
    for (const key of KEYS) {
      const found = await store.get(key);
      const body = found?.body ?? Buffer.alloc(0);
      // What was told is there, or something later. Its record was there before it.
      expect(Number(found?.metadata.number ?? 0)).toBeGreaterThanOrEqual(told.get(key) ?? 0);
      if (found === undefined) continue;
      expect(found.etag).toBe(createHash("md5").update(body).digest("hex"));
      expect(found.metadata.digest).toBe(createHash("sha256").update(body).digest("hex"));
    }
    const listed: string[] = [];
    for await (const { key } of store.list("")) listed.push(key);
    expect(KEYS).toEqual(expect.arrayContaining(listed));
    // A lock that the dead process held is no hindrance.
    for (const key of KEYS) {
      const found = await store.head(key);
      await store.put(key, Buffer.from("after"), {
        precondition: found === undefined ? { kind: "absent" } : { kind: "match", etag: found.etag },
      });
    }
  }
  expect((await readdir(join(folder, ".skep-lock"))).filter((name) => !name.includes("."))).toEqual([]);
});

it("loses no write between processes that write the same key", async () => {
  const children = [writer("count"), writer("count"), writer("count")];
  const codes = await Promise.all(children.map(async (child) => (await once(child, "exit"))[0]));
  expect(codes).toEqual([0, 0, 0]);
  const store = await openFolderStore(folder);
  expect(Buffer.from((await store.get("counter"))?.body ?? []).toString()).toBe("300");
});
