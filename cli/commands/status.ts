import { stat } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import { createEdgeReader, type EdgeReader } from "../../generator/purge/edge-reader.ts";
import { readStatusConfig, type StatusConfig } from "../../schemas/config/config.ts";
import { hasCode, SkepError } from "../../schemas/errors.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import { openStore } from "../../store/open.ts";
import { requireMigrated } from "../../store/postgres/migrate.ts";
import type { Context } from "../context.ts";
import { withDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { gatherStatus } from "../status/gather.ts";
import { describe, problemsOf, type Status } from "../status/report.ts";
import { visible } from "../visible.ts";

const READ_MILLISECONDS = 5_000;

interface StatusFlags {
  readonly json?: boolean;
  readonly maxLag: number;
  readonly samples: number;
}

export function statusCommand(context: Context): Command {
  return new Command("status")
    .description(
      "say how the registry fares: lag, what waits, who works, and whether the CDN serves what is stored",
    )
    .option(
      "--max-lag <seconds>",
      "how long a change or a purge may wait before that is a problem",
      whole,
      60,
    )
    .option("--samples <n>", "objects to look at, beside names and versions", whole, 5)
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `
Changes nothing, and needs no key and no token: the database, under the login of either service, and as
far as they are given the public store and the repository's URL. It says what it could not check.

Examples:
  skep status
  skep status --json --max-lag 10
${EXIT_HELP}`,
    )
    .action((flags: StatusFlags) => showStatus(context, flags));
}

function whole(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("must be a whole number");
}

async function showStatus(
  { terminal, source }: Context,
  { json, maxLag, samples }: StatusFlags,
): Promise<void> {
  const config = readStatusConfig(source);
  const status = await readStatus(config, samples);
  const problems = problemsOf(status, maxLag);
  if (json) terminal.out(JSON.stringify({ healthy: problems.length === 0, problems, ...status }));
  else for (const line of describe(status, problems)) terminal.out(visible(line));
  if (problems.length > 0) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    throw new SkepError("verification_failed", `the registry is not well: ${count}`);
  }
}

async function readStatus(config: StatusConfig, samples: number): Promise<Status> {
  let status: Status | undefined;
  await withDatabase(config, "skep status", async (database) => {
    const sql = database.pool({ max: 2 });
    await requireMigrated(sql);
    const { store, missing } = await openPublicStore(config);
    try {
      const sources = { store, reader: openReader(config, missing), missing, samples };
      status = await gatherStatus({ ...sources, sql, readOnly: config.readOnly });
    } finally {
      await store?.close();
    }
  });
  if (status === undefined) throw new TypeError("no status");
  return status;
}

interface FoundStore {
  readonly store: ObjectStore | undefined;
  /** Why there is none. */
  readonly missing: string[];
}

async function openPublicStore({ publicStore: place }: StatusConfig): Promise<FoundStore> {
  // Opening would make it, and everything in it would seem lost.
  if (place.kind === "folder" && !(await stat(place.path).catch(() => undefined))?.isDirectory()) {
    return { store: undefined, missing: [`store: there is no folder ${place.path}`] };
  }
  try {
    return { store: await openStore(place), missing: [] };
  } catch (error) {
    if (!hasCode(error, "store_unavailable")) throw error;
    return { store: undefined, missing: [`store: ${error.message}`] };
  }
}

function openReader({ readUrl }: StatusConfig, missing: string[]): EdgeReader | undefined {
  if (readUrl !== undefined) return createEdgeReader({ baseUrl: readUrl, timeoutMs: READ_MILLISECONDS });
  missing.push("CDN: SKEP_REPOSITORY_URL does not say where clients fetch from");
  return undefined;
}
