/** `kill -9` of a generator at each step, on a folder store: the next generator finishes what it began. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { StepName } from "../../generator/steps.ts";
import { repositoryName, trusted } from "../../hex/ids.ts";
import { openFolderStore } from "../../store/objects/folder.ts";
import { renameOrganization } from "../../store/queries/rename.ts";
import { openRowPublisher } from "../support/rows.ts";
import { privateKeyOfTests } from "../support/signing.ts";
import { createWorld, type World } from "../support/world.ts";
import type { GeneratorProcessSetup } from "./generator-process.ts";

const root = resolve(import.meta.dirname, "../..");
const STEPS: readonly StepName[] = [
  "claim",
  "intent",
  "put-tarballs",
  "put-packages",
  "put-versions",
  "put-names",
  "delete-packages",
  "record",
  "delete-announce",
  "delete-objects",
  "delete-record",
];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-killed-"));
  await writeFile(join(folder, "key.pem"), privateKeyOfTests(), { mode: 0o600 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function folderWorld(
  name: string,
): Promise<{ world: World; setup: Omit<GeneratorProcessSetup, "step" | "phase"> }> {
  const publicFolder = join(folder, name, "public");
  const privateFolder = join(folder, name, "private");
  const stores = {
    publicStore: await openFolderStore(publicFolder),
    privateStore: await openFolderStore(privateFolder),
  };
  const world = await createWorld({ stores });
  const setup = {
    databaseUrl: world.database.url,
    publicFolder,
    privateFolder,
    keyFile: join(folder, "key.pem"),
  };
  return { world, setup };
}

/** @returns the signal that ended the process. */
function runProcess(setup: GeneratorProcessSetup): Promise<string | null> {
  const script = join(root, "test/faults/generator-process.ts");
  return new Promise((done) => {
    const child = execFile(process.execPath, ["--import", "tsx", script, JSON.stringify(setup)], {
      cwd: root,
    });
    child.once("exit", (_, signal) => done(signal));
  });
}

describe.each(["before", "after"] as const)("killed %s", (phase) => {
  it.concurrent.each(STEPS)("%s", async (step) => {
    const { world, setup } = await folderWorld(`${phase}-${step}`);
    try {
      await world.rows.publish("foo", "1.0.0");
      await world.rows.publish("gone", "1.0.0");
      await world.expectWhole({ foo: ["1.0.0"], gone: ["1.0.0"] });
      await world.rows.publish("foo", "1.1.0");
      await world.rows.publish("bar", "1.0.0");
      await world.rows.revert("gone", "1.0.0");
      expect(await runProcess({ ...setup, step, phase })).toBe("SIGKILL");
      await world.expectNothingDangling();
      // What it was about is taken back, and something else comes.
      await world.rows.revert("bar", "1.0.0");
      await world.rows.publish("later", "1.0.0");
      await world.expectWhole({ foo: ["1.0.0", "1.1.0"], later: ["1.0.0"] });
    } finally {
      await world.close();
    }
  });
});

describe("killed while an organization gets another name", () => {
  const acme = trusted(repositoryName, "acme");
  const zenith = trusted(repositoryName, "zenith");

  it.concurrent.each<StepName>(["put-packages", "put-names", "delete-packages", "record", "delete-objects"])(
    "%s",
    async (step) => {
      const { world, setup } = await folderWorld(`rename-${step}`);
      try {
        const { sql } = world;
        const rows = await openRowPublisher(sql, world.privateStore, { name: acme, public: false });
        await rows.publish("foo", "1.0.0");
        await rows.docs("foo", "1.0.0", Buffer.from("docs"));
        const [organization] = await sql<{ id: number }[]>`
        insert into organizations (name) values (${acme}) returning id`;
        await world.expectWhole({ foo: ["1.0.0"] });
        const { repositoryId } = rows;
        await sql.begin((tx) =>
          renameOrganization(tx, {
            organizationId: organization?.id ?? 0,
            repositoryId,
            from: acme,
            to: zenith,
          }),
        );
        expect(await runProcess({ ...setup, step, phase: "after" })).toBe("SIGKILL");
        await world.expectNothingDangling();
        await world.expectWhole({ foo: ["1.0.0"] });
        const keys: string[] = [];
        for await (const { key } of world.publicStore.list("repos/")) keys.push(key);
        expect(keys.filter((key) => !key.startsWith("repos/zenith/"))).toEqual([]);
        expect(keys).toContain("repos/zenith/tarballs/foo-1.0.0.tar");
      } finally {
        await world.close();
      }
    },
  );
});
