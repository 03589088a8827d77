import { createReadStream } from "node:fs";
import { basename } from "node:path";
import type { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { Command } from "commander";
import { readToolConfig } from "../../schemas/config/config.ts";
import { SkepError } from "../../schemas/errors.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { refreshPackageDownloads, replaceDownloads } from "../../store/queries/downloads.ts";
import type { Context } from "../context.ts";
import { withDatabase } from "../database.ts";
import { countDownloads } from "../downloads/counts.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { visible } from "../visible.ts";

export function downloadsCommand(context: Context): Command {
  const load = new Command("import")
    .description("count downloads in the CDN's log")
    .argument("<file...>", "log files, also with gzip (.gz); `-` is stdin")
    .option("--source <name>", "what the counts are remembered by (default: the file's name)")
    .addHelpText(
      "after",
      `
Counts GET requests for tarballs that were answered with 200 or 304, by release and day (UTC). A line is a JSON
object with \`time\`, \`method\`, \`url\` and \`status\`, or in the common or combined log format.

A file that is read again replaces what it said the first time, day by day; give each file a name of its own, such
as one with its date. The sums of packages are made anew each time, so run this once a day.

Examples:
  skep downloads import /var/log/cdn/2026-08-21.log.gz
  zcat /var/log/cdn/2026-08-21T*.gz | skep downloads import - --source 2026-08-21
${EXIT_HELP}`,
    )
    .action((files: readonly string[], flags: { readonly source?: string }) => run(context, files, flags));
  return new Command("downloads").description("how often packages are fetched").addCommand(load);
}

async function run(
  context: Context,
  files: readonly string[],
  { source }: { readonly source?: string },
): Promise<void> {
  if (source === undefined && files.includes("-")) {
    throw new SkepError("usage", "stdin has no name to remember its counts by; give one with --source");
  }
  if (source !== undefined && files.length > 1) {
    throw new SkepError("usage", "files of one --source would replace each other; import them one by one");
  }
  const config = readToolConfig(context.source);
  await withDatabase(config, "skep downloads import", async (database) => {
    const sql = await database.rolePool("skep_api", 1);
    for (const file of files) {
      const said = await importDownloads(sql, source ?? basename(file), openLog(file));
      context.terminal.say(visible(`${file}: ${said}`));
    }
    const today = new Date().toISOString().slice(0, 10);
    await sql.begin((tx) => refreshPackageDownloads(tx, today));
  });
}

/**
 * Counts a log and keeps the counts, all or none of them.
 * @returns what became of it, for people.
 * @throws SkepError `usage` when it is no log, or cannot be read.
 */
export async function importDownloads(sql: Sql, source: string, log: Readable): Promise<string> {
  const { counts, days, lines, unread } = await countDownloads(linesOf(log));
  if (lines > 0 && unread === lines) {
    throw new SkepError("usage", `${source} is in no format that is known; \`skep downloads import --help\``);
  }
  const taken = await sql.begin((tx) => replaceDownloads(tx, source, days, counts));
  const unknown = counts.reduce((sum, count) => sum + count.downloads, 0) - taken;
  const parts = [`${lines} lines`, `${taken} downloads`];
  if (unknown > 0) parts.push(`${unknown} of releases that are not here`);
  if (unread > 0) parts.push(`${unread} lines could not be read`);
  return parts.join(", ");
}

// No request that was served has a longer one.
const LONGEST_LINE = 1 << 20;

async function* linesOf(log: Readable): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const piece of log) {
      const lines = (rest + decoder.decode(piece as Uint8Array, { stream: true })).split("\n");
      rest = (lines.pop() ?? "").slice(0, LONGEST_LINE);
      yield* lines;
    }
  } catch (cause) {
    throw new SkepError(
      "usage",
      `the log cannot be read: ${cause instanceof Error ? cause.message : cause}`,
      {
        cause,
      },
    );
  }
  yield rest;
}

function openLog(file: string): Readable {
  if (file === "-") return process.stdin;
  const stream = createReadStream(file);
  if (!file.endsWith(".gz")) return stream;
  const unzipped = createGunzip();
  stream.on("error", (error) => unzipped.destroy(error));
  return stream.pipe(unzipped);
}
