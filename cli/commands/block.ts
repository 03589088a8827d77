import { Command } from "commander";
import { readToolConfig } from "../../schemas/config/config.ts";
import { isNetwork } from "../../schemas/config/parsers.ts";
import { SkepError } from "../../schemas/errors.ts";
import { isoMicros } from "../../schemas/time.ts";
import { blockedNetworks, blockNetwork, unblockNetwork } from "../../store/queries/operations.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { operate } from "../operator.ts";

const ADDRESS = "an address or a network, such as 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32";

export function blockCommand(context: Context): Command {
  const add = new Command("add")
    .description("refuse every request of an address or network; API processes know within a second or two")
    .argument("<address>", ADDRESS)
    .option("--reason <text>", "kept with it and in the audit log")
    .addHelpText(
      "after",
      `
Loopback and SKEP_TRUSTED_NETWORKS are never blocked. Behind proxies SKEP_TRUSTED_PROXIES has to be right, or the
address that is seen is theirs.

Example:
  skep block add 192.0.2.0/24 --reason "scans for passwords"
${EXIT_HELP}`,
    )
    .action((address: string, { reason }: { reason?: string }) => block(context, address, reason ?? null));
  const remove = new Command("remove")
    .description("serve an address or network again")
    .argument("<address>", "as `skep block list` shows it")
    .addHelpText("after", EXIT_HELP)
    .action((address: string) => unblock(context, address));
  const list = new Command("list")
    .description("show what is blocked")
    .option("--json", "one JSON object a line")
    .addHelpText("after", EXIT_HELP)
    .action(({ json }: { json?: boolean }) => showBlocked(context, json === true));
  return new Command("block")
    .description("addresses that are not served")
    .addCommand(add)
    .addCommand(remove)
    .addCommand(list);
}

async function block(context: Context, address: string, reason: string | null): Promise<void> {
  requireNetwork(address);
  await operate(context, readToolConfig(context.source), "block add", async ({ sql, audit }) => {
    const network = await sql.begin(async (tx) => {
      const listed = await blockNetwork(tx, address, reason);
      await audit(tx, "address.block", { network: listed, reason });
      return listed;
    });
    context.terminal.say(`${network} is blocked`);
  });
}

async function unblock(context: Context, address: string): Promise<void> {
  requireNetwork(address);
  await operate(context, readToolConfig(context.source), "block remove", async ({ sql, audit }) => {
    const network = await sql.begin(async (tx) => {
      const listed = await unblockNetwork(tx, address);
      if (listed === undefined) throw new SkepError("not_found", `${address} is not blocked`);
      await audit(tx, "address.unblock", { network: listed });
      return listed;
    });
    context.terminal.say(`${network} is no longer blocked`);
  });
}

async function showBlocked(context: Context, json: boolean): Promise<void> {
  await operate(context, readToolConfig(context.source), "block list", async ({ sql }) => {
    for (const { network, reason, insertedAt } of await blockedNetworks(sql)) {
      const since = isoMicros(insertedAt);
      context.terminal.out(
        json
          ? JSON.stringify({ network, reason, since })
          : [network, since, reason ?? ""].join("  ").trimEnd(),
      );
    }
  });
}

function requireNetwork(address: string): void {
  if (!isNetwork(address)) throw new SkepError("usage", `${address} is no address and no network`);
}
