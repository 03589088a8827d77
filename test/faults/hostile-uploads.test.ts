/** Eight hostile uploads at once: the API's process stays within its memory. */
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createGzip } from "node:zlib";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openFolderStore } from "../../store/objects/folder.ts";
import { makeKey } from "../support/accounts.ts";
import { startApiProcess } from "../support/api-process.ts";
import { packageTarball, rawTar } from "../support/package-builder.ts";
import { createWorld, type World } from "../support/world.ts";

const MOST_BYTES = 400 << 20;

let folder: string;
let world: World;
let secret: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-hostile-"));
  const privateStore = await openFolderStore(join(folder, "private"));
  world = await createWorld({
    stores: { publicStore: await openFolderStore(join(folder, "public")), privateStore },
  });
  secret = await makeKey(world.sql, "eve");
});
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true, force: true });
});

/** A gzip member that would inflate to a gibibyte. */
async function bomb(): Promise<Buffer> {
  const gzip = createGzip({ level: 9 });
  const pieces: Buffer[] = [];
  let size = 0;
  gzip.on("data", (piece: Buffer) => {
    pieces.push(piece);
    size += piece.length;
  });
  const zeros = Buffer.alloc(1 << 20);
  // Deflate shrinks zeros by a thousand: one GiB fills a mebibyte, which is enough to see no end.
  while (size < 1 << 20) await new Promise<void>((resolve) => gzip.write(zeros, () => resolve()));
  gzip.end();
  await new Promise((resolve) => gzip.once("end", resolve));
  return Buffer.concat(pieces);
}

/** The largest resident set the process ever had, in bytes (Linux). */
async function peakMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? Number.NaN) * 1024;
}

it.runIf(process.platform === "linux")("bombs, garbage of the largest size, and endless lists", async () => {
  const contents = await bomb();
  const uploads = [
    packageTarball({ contents: () => contents }),
    randomBytes(20 << 20),
    rawTar([{ name: "contents.tar.gz", content: Buffer.alloc(15 << 20) }]),
    packageTarball({ metadataFile: Buffer.alloc(1 << 20, "[") }),
  ];
  const api = await startApiProcess({
    databaseUrl: world.database.url,
    privateFolder: join(folder, "private"),
  });
  try {
    const headers = { authorization: secret, "user-agent": "test" };
    for (let round = 0; round < 2; round++) {
      for (const upload of uploads) {
        const send = () =>
          fetch(`${api.url}/publish`, { method: "POST", headers, body: new Uint8Array(upload) });
        const replies = await Promise.all(Array.from({ length: 8 }, send));
        expect(replies.map((reply) => reply.status)).toEqual(Array.from({ length: 8 }, () => 422));
      }
    }
    const term = Buffer.concat([Buffer.of(131), Buffer.alloc(7_000_000, 108)]);
    const type = { "content-type": "application/vnd.hex+erlang" };
    const bad = () =>
      fetch(`${api.url}/keys`, {
        method: "POST",
        headers: { ...headers, ...type },
        body: new Uint8Array(term),
      });
    const replies = await Promise.all(Array.from({ length: 8 }, bad));
    expect(replies.map((reply) => reply.status)).toEqual(Array.from({ length: 8 }, () => 400));
    expect(await peakMemory(api.child.pid ?? 0)).toBeLessThan(MOST_BYTES);
  } finally {
    await api.kill();
  }
});
