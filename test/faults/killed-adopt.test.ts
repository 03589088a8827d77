/** `kill -9` in the middle of `skep rebuild` and of its `--adopt`, on a folder store: started again, it goes on. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { rebuild } from "../../generator/rebuild.ts";
import type { StepName } from "../../generator/steps.ts";
import { openFolderStore } from "../../store/objects/folder.ts";
import { backUp } from "../support/database.ts";
import { privateKeyOfTests } from "../support/signing.ts";
import { createWorld, type World } from "../support/world.ts";
import type { GeneratorProcessSetup } from "./generator-process.ts";

const root = resolve(import.meta.dirname, "../..");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-killed-adopt-"));
  await writeFile(join(folder, "key.pem"), privateKeyOfTests(), { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** @returns the signal that ended the process; null: it ended by itself. */
function runProcess(setup: GeneratorProcessSetup): Promise<string | null> {
  const script = join(root, "test/faults/generator-process.ts");
  return new Promise((done) => {
    const child = execFile(process.execPath, ["--import", "tsx", script, JSON.stringify(setup)], {
      cwd: root,
    });
    child.once("exit", (_, signal) => done(signal));
  });
}

async function openStores(name: string) {
  const [publicFolder, privateFolder] = [join(folder, name, "public"), join(folder, name, "private")];
  const stores = {
    publicStore: await openFolderStore(publicFolder),
    privateStore: await openFolderStore(privateFolder),
  };
  return { stores, publicFolder, privateFolder, keyFile: join(folder, "key.pem") };
}

const KILLS: readonly (readonly [step: StepName, phase: "before" | "after"])[] = [
  ["adopt-survey", "after"],
  ["adopt-raise", "before"],
  ["adopt-raise", "after"],
  ["put-packages", "after"],
  ["record", "before"],
];

describe("adopt", () => {
  it.concurrent.each(KILLS)("killed at %s, %s", async (step, phase) => {
    const { stores, ...setup } = await openStores(`${step}-${phase}`);
    const before = await createWorld({ stores });
    await before.rows.publish("kiwi", "1.0.0");
    await before.rows.publish("pear", "1.0.0");
    await before.expectWhole({ kiwi: ["1.0.0"], pear: ["1.0.0"] });
    const backup = await backUp(before.database);
    await before.rows.publish("kiwi", "1.2.0");
    await before.expectWhole({ kiwi: ["1.0.0", "1.2.0"], pear: ["1.0.0"] });
    const after = await createWorld({ stores, databaseUrl: backup.url });
    try {
      const run = { ...setup, databaseUrl: backup.url, work: "adopt" as const, step, phase };
      expect(await runProcess(run)).toBe("SIGKILL");
      await after.expectNothingDangling();
      const raised = await revision(after);
      expect(await runProcess({ ...run, step: "read-back" })).toBeNull();
      // Raised by one of the two, and by that one alone.
      const isRaised = phase === "after" ? step !== "adopt-survey" : step === "record";
      if (isRaised) expect(await revision(after)).toBe(raised);
      else expect(await revision(after)).toBeGreaterThan(raised);
      expect(await after.publicStore.head("tarballs/kiwi-1.2.0.tar")).toBeDefined();
      await after.sql`delete from kept_objects`;
      await after.publicStore.delete("tarballs/kiwi-1.2.0.tar");
      await after.expectWhole({ kiwi: ["1.0.0"], pear: ["1.0.0"] });
    } finally {
      await after.close();
      await before.close();
      await backup.drop();
    }
  });
});

async function revision(world: World): Promise<number> {
  const [row] = await world.sql<{ revision: number }[]>`select revision from repositories`;
  return row?.revision ?? 0;
}

it("a rebuild that was killed does not write again what it had written", async () => {
  const { stores, ...setup } = await openStores("rebuild");
  const world = await createWorld({ stores });
  try {
    for (const name of ["apple", "kiwi", "pear"]) await world.rows.publish(name, "1.0.0");
    const live = { apple: ["1.0.0"], kiwi: ["1.0.0"], pear: ["1.0.0"] };
    await world.expectWhole(live);
    for await (const { key } of stores.publicStore.list("")) await stores.publicStore.delete(key);
    const run = { ...setup, databaseUrl: world.database.url, work: "rebuild" as const };
    expect(await runProcess({ ...run, step: "put-versions", phase: "before" })).toBe("SIGKILL");
    const { generator, context } = world.generator();
    await rebuild(context, generator, { strays: "few", signal: new AbortController().signal });
    await generator.releaseClaims();
    // Three tarballs and three packages stand already.
    expect(context.counters.puts).toBe(3);
    await world.expectWhole(live);
  } finally {
    await world.close();
  }
});
