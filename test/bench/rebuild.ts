/**
 * A full build, rows in memory, into a store in memory and into one in a folder, durably. Its limit is RSA: beside it,
 * the same number of signatures alone, on the same threads.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type DesiredObject, packageObjects, repositoryObjects } from "../../generator/build/objects.ts";
import { signedFile } from "../../generator/build/signed-file.ts";
import { indexFilesOf } from "../../generator/index/index-files.ts";
import { inParallel } from "../../generator/parallel.ts";
import { putOptions } from "../../generator/write/metadata.ts";
import { openFolderStore } from "../../store/objects/folder.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import { testSigner } from "../support/signing.ts";
import { corpus, indexOf, REPOSITORY } from "./corpus.ts";
import { median, type Row, seconds } from "./report.ts";

const PACKAGES = 2_000;
const RELEASES = 20_000;
const RUNS = 3;
const CONCURRENCY = 16;

export async function benchRebuild(): Promise<readonly Row[]> {
  const folder = await mkdtemp(join(tmpdir(), "skep-bench-"));
  let made = 0;
  const inFolder = () => {
    made += 1;
    return openFolderStore(join(folder, String(made)));
  };
  try {
    return [
      await measure("into memory", async () => new MemoryStore(), "at most 1.4"),
      await measure("into a folder", inFolder, "at most 2.2"),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(what: string, open: () => Promise<ObjectStore>, goal: string): Promise<Row> {
  const rows = corpus(PACKAGES, RELEASES);
  const signer = testSigner();
  const build = async (store: ObjectStore) => {
    const write = (objects: readonly DesiredObject[]) => writeSigned(store, objects);
    await inParallel(CONCURRENCY, rows, (row) => write(packageObjects(REPOSITORY, row, signer)));
    await write(repositoryObjects(REPOSITORY, indexFilesOf(indexOf(rows)), signer));
  };
  const payload = Buffer.alloc(2_000, 1);
  const signatures = () =>
    inParallel(CONCURRENCY, Array.from({ length: PACKAGES + 2 }), async () => {
      await signer.sign(payload);
    });

  await build(await open());
  const ours: number[] = [];
  const limit: number[] = [];
  // In turn, so that a machine that slows down slows both.
  for (let run = 0; run < RUNS; run++) {
    const store = await open();
    ours.push(await seconds(() => build(store)));
    limit.push(await seconds(signatures));
  }
  const releases = rows.reduce((sum, row) => sum + row.releases.length, 0);
  return {
    what: `full build ${what}, ${PACKAGES} packages / ${releases} releases`,
    ours: `${median(ours).toFixed(2)} s`,
    limit: `${median(limit).toFixed(2)} s`,
    beside: `${PACKAGES + 2} RSA-2048 signatures alone`,
    ratio: median(ours) / median(limit),
    goal,
  };
}

async function writeSigned(store: ObjectStore, objects: readonly DesiredObject[]): Promise<void> {
  const signer = testSigner();
  for (const object of objects) {
    if (object.source.kind !== "sign") continue;
    const body = await signedFile(object.source, signer);
    const options = putOptions(REPOSITORY, object, { generation: 1, id: "none" });
    await store.put(object.key, body, { ...options, precondition: { kind: "absent" } });
  }
}
