/** Reads tarballs: a few at once, many in threads of their own, as hashing and parsing are most of the work. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { PackageName } from "../../hex/ids.ts";
import { ReleaseProblem, readRelease, type TarballRelease } from "./release.ts";
import type { TarballFile } from "./tarballs.ts";

/** A release, or why the tarball is none. */
export type ReadResult = { readonly release: TarballRelease } | { readonly problem: string };

export interface Readers {
  /** @returns a result for each file, in their order. */
  read(name: PackageName, files: readonly TarballFile[]): Promise<readonly ReadResult[]>;
  close(): Promise<void>;
}

/** What a thread is asked. */
export interface ReadRequest {
  readonly id: number;
  readonly name: PackageName;
  readonly files: readonly TarballFile[];
}

export interface ReadAnswer {
  readonly id: number;
  readonly results: readonly ReadResult[];
}

// To start a thread takes as long as to read some hundred tarballs.
const WORTH_THREADS = 2_000;
const MOST_THREADS = 8;
// Whatever a tarball is parsed into is garbage at once: with more room it is collected more rarely.
const YOUNG_MEGABYTES = 96;

export function readTarballs(name: PackageName, files: readonly TarballFile[]): readonly ReadResult[] {
  return files.map((file) => {
    try {
      return { release: readRelease(name, file) };
    } catch (error) {
      if (error instanceof ReleaseProblem) return { problem: `${file.path}: ${error.message}` };
      throw error;
    }
  });
}

/** @param tarballs how many will be read, roughly */
export function openReaders(tarballs: number): Readers {
  if (tarballs >= WORTH_THREADS) return threadReaders(Math.min(MOST_THREADS, availableParallelism()));
  return { read: async (name, files) => readTarballs(name, files), close: async () => undefined };
}

interface Pending {
  resolve(results: readonly ReadResult[]): void;
  reject(error: Error): void;
}

export function threadReaders(count: number): Readers {
  const waiting = new Map<number, Pending>();
  let failure: Error | undefined;
  const fail = (error: Error) => {
    failure ??= error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const workers = Array.from({ length: count }, () => {
    const worker = openThread();
    worker.on("message", ({ id, results }: ReadAnswer) => {
      waiting.get(id)?.resolve(results);
      waiting.delete(id);
    });
    worker.on("error", fail);
    worker.on("exit", () => fail(new Error("a thread that reads tarballs has ended")));
    return worker;
  });
  let next = 0;
  return {
    read(name, files) {
      const request: ReadRequest = { id: next++, name, files };
      return new Promise((resolve, reject) => {
        // Nobody would answer.
        if (failure !== undefined) return reject(failure);
        waiting.set(request.id, { resolve, reject });
        workers[request.id % count]?.postMessage(request);
      });
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

function openThread(): Worker {
  const resourceLimits = { maxYoungGenerationSizeMb: YOUNG_MEGABYTES };
  // Beside this file, and of its kind.
  const file = import.meta.url.replace(/readers\.([jt]s)$/, "reader-thread.$1");
  if (!file.endsWith(".ts")) return new Worker(new URL(file), { resourceLimits });
  // Node 20 does not hand the loader of the sources down to threads.
  const tsx = import.meta.resolve("tsx/esm/api");
  const code = `import("${tsx}").then(({ register }) => { register(); return import("${file}"); })`;
  return new Worker(code, { eval: true, resourceLimits });
}
