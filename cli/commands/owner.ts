import { Command, Option } from "commander";
import { tellOwners } from "../../api/mail/notices.ts";
import { auditedUser } from "../../api/views/audit.ts";
import { readToolConfig } from "../../schemas/config/config.ts";
import { SkepError } from "../../schemas/errors.ts";
import {
  isLastFullOwner,
  lockOwners,
  type OwnerLevel,
  removeOwners,
  setOwner,
} from "../../store/queries/owners.ts";
import type { UserRow } from "../../store/queries/users.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { type FoundPackage, mailSettingsOf, operate, requirePackage, requireUser } from "../operator.ts";

const PACKAGE = "NAME, or REPOSITORY/NAME";

export function ownerCommand(context: Context): Command {
  const add = new Command("add")
    .description("make an account an owner of a package, or change its level")
    .argument("<package>", PACKAGE)
    .argument("<username>")
    .addOption(new Option("--level <level>").choices(["full", "maintainer"]).default("full"))
    .addHelpText("after", EXIT_HELP)
    .action((name: string, username: string, options: { level: OwnerLevel }) =>
      addOwner(context, name, username, options.level),
    );
  const remove = new Command("remove")
    .description("remove an owner of a package, but not its last one with full rights")
    .argument("<package>", PACKAGE)
    .argument("<username>")
    .addHelpText("after", EXIT_HELP)
    .action((name: string, username: string) => removeOwner(context, name, username));
  return new Command("owner").description("owners of packages").addCommand(add).addCommand(remove);
}

async function addOwner(context: Context, name: string, username: string, level: OwnerLevel): Promise<void> {
  const config = readToolConfig(context.source);
  await operate(context, config, "owner add", async (operator) => {
    const found = await requirePackage(operator, name);
    const user = await requireUser(operator.sql, username);
    await operator.sql.begin(async (tx) => {
      const owners = await lockOwners(tx, found.package.id);
      if (level !== "full" && isLastFullOwner(owners, user.id)) {
        throw new SkepError("usage", "cannot demote the last full owner of a package");
      }
      await setOwner(tx, found.package.id, user.id, level);
      await operator.audit(tx, "owner.add", ownerParams(found, user, level));
      await tellOwners(tx, mailSettingsOf(config), "added", found.package.name, user, owners.keys());
    });
    context.terminal.say(`${user.username} owns ${found.package.name} (${level})`);
  });
}

async function removeOwner(context: Context, name: string, username: string): Promise<void> {
  const config = readToolConfig(context.source);
  await operate(context, config, "owner remove", async (operator) => {
    const found = await requirePackage(operator, name);
    const user = await requireUser(operator.sql, username);
    await operator.sql.begin(async (tx) => {
      const owners = await lockOwners(tx, found.package.id);
      const level = owners.get(user.id);
      if (level === undefined) {
        throw new SkepError("not_found", `${user.username} is not an owner of ${found.package.name}`);
      }
      if (isLastFullOwner(owners, user.id)) {
        throw new SkepError("usage", "cannot remove the last full owner of a package: add another one first");
      }
      await removeOwners(tx, found.package.id, [user.id]);
      await operator.audit(tx, "owner.remove", ownerParams(found, user, level));
      await tellOwners(tx, mailSettingsOf(config), "removed", found.package.name, user, owners.keys());
    });
    context.terminal.say(`${user.username} no longer owns ${found.package.name}`);
  });
}

function ownerParams({ package: row }: FoundPackage, user: UserRow, level: OwnerLevel): object {
  return {
    package: { id: row.id, name: row.name },
    level,
    user: auditedUser(user),
  };
}
