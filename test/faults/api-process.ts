/**
 * An API in a process of its own, on folder stores, without a generator. It can kill itself with SIGKILL at a
 * step of a publish. Prints its port when it listens. Its set-up is JSON in the first argument.
 */
import { randomBytes } from "node:crypto";
import { createApi } from "../../api/app.ts";
import { openBlockList } from "../../api/limits/block-list.ts";
import { PostgresCounters } from "../../api/limits/counters.ts";
import { openReadOnlySwitch } from "../../api/read-only.ts";
import { startServer } from "../../api/server.ts";
import type { ApiStep } from "../../api/settings.ts";
import { openChangeWaiter } from "../../store/change-waiter.ts";
import { openFolderStore } from "../../store/objects/folder.ts";
import { openPool } from "../../store/postgres/pool.ts";
import { KEY_SECRET, SETTINGS, TOKEN_KEYS } from "../support/api-settings.ts";

export interface ApiProcessSetup {
  readonly databaseUrl: string;
  readonly privateFolder: string;
  /** Dies at the n-th time that the step is reached. */
  readonly kill?: { readonly step: ApiStep; readonly phase: "before" | "after"; readonly at: number };
}

const setup: ApiProcessSetup = JSON.parse(process.argv[2] ?? "{}");
const sql = openPool(setup.databaseUrl, { role: "skep_api" });
let reached = 0;
const log = {
  info() {},
  warn() {},
  error: (fields: object, message: string) => console.error(message, fields),
};
const settings = { publicUrl: "http://skep.example", repositoryUrl: "http://skep.example/repo", ...SETTINGS };
const app = createApi({
  sql,
  counters: new PostgresCounters(sql, () => new Date()),
  blockList: await openBlockList(sql, log),
  readOnly: await openReadOnlySwitch(sql, settings, log),
  blobs: await openFolderStore(setup.privateFolder),
  waiter: await openChangeWaiter(sql),
  settings,
  keySecret: KEY_SECRET,
  tokenKeys: TOKEN_KEYS,
  clock: () => new Date(),
  random: randomBytes,
  log,
  onStep: async (step, phase) => {
    if (step !== setup.kill?.step || phase !== setup.kill.phase) return;
    reached += 1;
    if (reached === setup.kill.at) process.kill(process.pid, "SIGKILL");
  },
});
const server = await startServer(app.fetch, { host: "127.0.0.1", port: 0 });
console.log(server.port);
