import { Command } from "commander";
import { readToolConfig } from "../../schemas/config/config.ts";
import { migrate } from "../../store/postgres/migrate.ts";
import type { Context } from "../context.ts";
import { withDatabase } from "../database.ts";
import { EXIT_HELP } from "../exit-codes.ts";

export function migrateCommand(context: Context): Command {
  return new Command("migrate")
    .description("bring the database to this release")
    .addHelpText(
      "after",
      `
\`skep serve\` does it by itself; \`skep api\` and \`skep generator\` do not. Safe to run at any time and from
several places at once. The login must be able to create tables and, the first time, the roles skep_api
and skep_generator.

Example:
  DATABASE_URL=postgres://owner@db/skep skep migrate
${EXIT_HELP}`,
    )
    .action(async () => {
      const config = readToolConfig(context.source);
      await withDatabase(config, "skep migrate", async (database) => {
        const applied = await migrate(database.pool({ max: 1 }));
        if (applied.length === 0) context.terminal.say("the database is up to date");
        for (const name of applied) context.terminal.out(name);
      });
    });
}
