/** `kill -9` of the API at each step of a publish: what was answered is there, what was not is whole or absent. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ApiStep } from "../../api/settings.ts";
import { openFolderStore } from "../../store/objects/folder.ts";
import { makeKey } from "../support/accounts.ts";
import { startApiProcess } from "../support/api-process.ts";
import { packageTarball } from "../support/package-builder.ts";
import { createWorld } from "../support/world.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-killed-api-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Publishes one version after the other until the API is gone. @returns those that were answered with 201. */
async function publishUntilGone(url: string, key: string): Promise<string[]> {
  const answered: string[] = [];
  for (let patch = 0; patch < 20; patch++) {
    const version = `1.0.${patch}`;
    const body = new Uint8Array(packageTarball({ metadata: { version } }));
    const headers = { authorization: key, "user-agent": "test" };
    const reply = await fetch(`${url}/publish`, { method: "POST", headers, body }).catch(() => undefined);
    if (reply === undefined) return answered;
    expect(reply.status).toBe(201);
    answered.push(version);
  }
  throw new Error("the API did not die");
}

describe.each(["before", "after"] as const)("killed %s", (phase) => {
  it.concurrent.each<ApiStep>(["stage", "commit", "wait"])("%s", async (step) => {
    const privateFolder = join(folder, `${phase}-${step}`, "private");
    const world = await createWorld({
      stores: {
        publicStore: await openFolderStore(join(folder, `${phase}-${step}`, "public")),
        privateStore: await openFolderStore(privateFolder),
      },
    });
    try {
      const key = await makeKey(world.sql, "ann");
      const { generator } = world.generator({ settings: { leaseSeconds: 10, renewSeconds: 3 } });
      const stop = new AbortController();
      const run = generator.run(stop.signal);
      const api = await startApiProcess({
        databaseUrl: world.database.url,
        privateFolder,
        kill: { step, phase, at: 4 },
      });
      const answered = await publishUntilGone(api.url, key);
      expect(await api.ended).toBe("SIGKILL");
      expect(answered).toHaveLength(3);

      // The fourth is there if it was committed, though nobody was told.
      const committed = step === "wait" || (step === "commit" && phase === "after");
      // Another API takes over, and the same version can be sent again.
      const next = await startApiProcess({ databaseUrl: world.database.url, privateFolder });
      const body = new Uint8Array(packageTarball({ metadata: { version: "1.0.3" } }));
      const headers = { authorization: key, "user-agent": "test" };
      const again = await fetch(`${next.url}/publish?replace=false`, { method: "POST", headers, body });
      expect(again.status).toBe(committed ? 422 : 201);
      await next.kill();
      stop.abort();
      await run;
      await world.expectWhole({ example: ["1.0.0", "1.0.1", "1.0.2", "1.0.3"] });
    } finally {
      await world.close();
    }
  });
});
