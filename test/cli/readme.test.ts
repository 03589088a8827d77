/** The README's table of settings says what the program does. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { SETTING_NAMES, SETTINGS, type Setting } from "../../schemas/config/settings.ts";

function row(name: string, { help, fallback, otherwise }: Setting): string {
  const unless = fallback === undefined ? (otherwise ?? "") : `\`${fallback}\``;
  return `| \`${name}\` | ${help} | ${unless} |`;
}

it("has every setting, as the program explains it", async () => {
  const readme = await readFile(join(import.meta.dirname, "../../README.md"), "utf8");
  const table = SETTING_NAMES.map((name) => row(name, SETTINGS[name]));
  const found = readme.split("\n").filter((line) => /^\| `(SKEP_|DATABASE_URL)/.test(line));
  expect(found).toEqual(table);
});
