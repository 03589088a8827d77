/** What the commands that make API keys have in common. */
import { Option } from "commander";
import type { ToolConfig } from "../schemas/config/config.ts";
import type { MadeKey } from "./api-keys.ts";
import type { Context } from "./context.ts";
import { keySecret } from "./data-folder.ts";

const NO_SECRET = "start `skep serve` once in this folder, or give the secret that the API has";

/** @returns the option by which permissions are given, each time one. @param choices for its description */
export function permissionOption(choices: string): Option {
  return new Option(
    "--permission <domain[:resource]>",
    `what it may do, can be given several times: ${choices}`,
  )
    .argParser((value: string, before: readonly string[]) => [...before, value])
    .default([]);
}

/** @returns the secret under which keys are hashed. @throws SkepError when neither settings nor data folder have it. */
export async function secretOfKeys({ keySecret: given, dataFolder }: ToolConfig): Promise<string> {
  return given?.reveal() ?? (await keySecret(dataFolder, NO_SECRET));
}

/** Prints nothing but the secret on stdout. */
export function showMadeKey({ terminal }: Context, { key, secret }: MadeKey, owner: string): void {
  const permissions = key.permissions.map(({ domain, resource }) =>
    resource === null ? domain : `${domain}:${resource}`,
  );
  terminal.say(`made the key ${key.name} of ${owner} for ${permissions.join(", ")}`);
  terminal.out(secret);
}
