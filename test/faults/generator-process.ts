/**
 * A generator in a process of its own, which kills itself with SIGKILL at a step: `kill -9` at exactly that
 * point. Run by `killed-generator.test.ts` with its set-up as JSON in the first argument.
 */
import { readFileSync } from "node:fs";
import { adopt } from "../../generator/adopt/adopt.ts";
import { type GeneratorContext, newCounters } from "../../generator/context.ts";
import { Generator } from "../../generator/generator.ts";
import { rebuild } from "../../generator/rebuild.ts";
import type { StepName } from "../../generator/steps.ts";
import { pemSigner } from "../../proto/pem-signer.ts";
import { openFolderStore } from "../../store/objects/folder.ts";
import { openPool } from "../../store/postgres/pool.ts";
import { QUICK } from "../support/quick.ts";

export interface GeneratorProcessSetup {
  readonly databaseUrl: string;
  readonly publicFolder: string;
  readonly privateFolder: string;
  readonly keyFile: string;
  readonly step: StepName;
  readonly phase: "before" | "after";
  /** Absent: it settles. */
  readonly work?: "adopt" | "rebuild";
}

const setup: GeneratorProcessSetup = JSON.parse(process.argv[2] ?? "{}");
const log = {
  info() {},
  warn() {},
  error: (fields: object, message: string) => console.error(message, fields),
};
const sql = openPool(setup.databaseUrl, { role: "skep_generator" });
const context: GeneratorContext = {
  sql,
  publicStore: await openFolderStore(setup.publicFolder),
  privateStore: await openFolderStore(setup.privateFolder),
  signer: pemSigner(readFileSync(setup.keyFile, "utf8")),
  settings: QUICK,
  log,
  holder: `process ${process.pid}`,
  counters: newCounters(),
  random: Math.random,
  onStep: async (step, phase) => {
    if (step === setup.step && phase === setup.phase) process.kill(process.pid, "SIGKILL");
  },
};
const generator = new Generator(context);
const { signal } = new AbortController();
if (setup.work === "adopt") await adopt(context, { acceptLoss: true, onFinding() {}, signal });
if (setup.work === undefined) await generator.settle();
else await rebuild(context, generator, { strays: "few", signal });
await generator.releaseClaims();
await sql.end();
