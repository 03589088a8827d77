import { Command } from "commander";
import { readToolConfig } from "../../schemas/config/config.ts";
import { isoMicros } from "../../schemas/time.ts";
import { enterReadOnly, leaveReadOnly, readOnlyMode } from "../../store/queries/operations.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { operate } from "../operator.ts";

export function readOnlyCommand(context: Context): Command {
  const on = new Command("on")
    .description("refuse changes; every API process does so within a second or two")
    .option("--message <text>", "what clients are told")
    .addHelpText("after", EXIT_HELP)
    .action(({ message }: { message?: string }) => turnOn(context, message ?? null));
  const off = new Command("off")
    .description("take changes again")
    .addHelpText("after", EXIT_HELP)
    .action(() => turnOff(context));
  const status = new Command("status")
    .description("say whether it is on; prints `on` or `off`")
    .addHelpText("after", EXIT_HELP)
    .action(() => showStatus(context));
  return new Command("read-only")
    .description("read-only mode: fetching and looking go on, every change is answered with 503")
    .addHelpText(
      "after",
      `
SKEP_READ_ONLY=on does the same for a process from its start.

Example:
  skep read-only on --message "we move to another database; back at noon UTC"
${EXIT_HELP}`,
    )
    .addCommand(on)
    .addCommand(off)
    .addCommand(status);
}

async function turnOn(context: Context, message: string | null): Promise<void> {
  await operate(context, readToolConfig(context.source), "read-only on", async ({ sql, audit }) => {
    await sql.begin(async (tx) => {
      await enterReadOnly(tx, message);
      await audit(tx, "read_only.on", { message });
    });
    context.terminal.say("read-only mode is on");
  });
}

async function turnOff(context: Context): Promise<void> {
  await operate(context, readToolConfig(context.source), "read-only off", async ({ sql, audit }) => {
    const was = await sql.begin(async (tx) => {
      const left = await leaveReadOnly(tx);
      if (left) await audit(tx, "read_only.off", {});
      return left;
    });
    context.terminal.say(was ? "read-only mode is off" : "read-only mode was off already");
  });
}

async function showStatus(context: Context): Promise<void> {
  await operate(context, readToolConfig(context.source), "read-only status", async ({ sql }) => {
    const row = await readOnlyMode(sql);
    context.terminal.out(row === undefined ? "off" : "on");
    if (row !== undefined) {
      context.terminal.say(`since ${isoMicros(row.since)}${row.message === null ? "" : `: ${row.message}`}`);
    }
  });
}
