/**
 * A full rebuild, rows in memory, into the memory store. Its limit is RSA: beside it, the same number of
 * signatures alone, on the same threads.
 */
import { packageObjects, repositoryObjects } from "../../generator/build/objects.ts";
import { signedFile } from "../../generator/build/signed-file.ts";
import { indexFilesOf } from "../../generator/index/index-files.ts";
import { inParallel } from "../../generator/parallel.ts";
import { putOptions } from "../../generator/write/metadata.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import { testSigner } from "../support/signing.ts";
import { corpus, indexOf, REPOSITORY } from "./corpus.ts";
import { median, type Row, seconds } from "./report.ts";

const PACKAGES = 2_000;
const RELEASES = 20_000;
const RUNS = 3;
const CONCURRENCY = 16;

export async function benchRebuild(): Promise<readonly Row[]> {
  const rows = corpus(PACKAGES, RELEASES);
  const index = indexOf(rows);
  const signer = testSigner();

  const rebuild = async () => {
    const store = new MemoryStore();
    const write = async (objects: ReturnType<typeof packageObjects>) => {
      for (const object of objects) {
        if (object.source.kind !== "sign") continue;
        const body = await signedFile(object.source, signer);
        await store.put(object.key, body, {
          ...putOptions(REPOSITORY, object, { generation: 1, id: "none" }),
          precondition: { kind: "absent" },
        });
      }
    };
    await inParallel(CONCURRENCY, rows, (row) => write(packageObjects(REPOSITORY, row, signer)));
    await write(repositoryObjects(REPOSITORY, indexFilesOf(index), signer));
  };
  const payload = Buffer.alloc(2_000, 1);
  const signatures = async () => {
    const items = Array.from({ length: PACKAGES + 2 });
    await inParallel(CONCURRENCY, items, async () => {
      await signer.sign(payload);
    });
  };

  await rebuild();
  const ours: number[] = [];
  const limit: number[] = [];
  // In turn, so that a machine that slows down slows both.
  for (let run = 0; run < RUNS; run++) {
    ours.push(await seconds(rebuild));
    limit.push(await seconds(signatures));
  }
  const releases = rows.reduce((sum, row) => sum + row.releases.length, 0);
  return [
    {
      what: `full rebuild, ${PACKAGES} packages / ${releases} releases`,
      ours: `${median(ours).toFixed(2)} s`,
      limit: `${median(limit).toFixed(2)} s`,
      beside: `${PACKAGES + 2} RSA-2048 signatures alone`,
      ratio: median(ours) / median(limit),
      goal: "at most 2",
    },
  ];
}
