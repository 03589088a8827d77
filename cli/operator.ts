/** What operators do by hand: as the API does it, and audited as theirs. */
import { userInfo } from "node:os";
import type { ToolConfig } from "../schemas/config/config.ts";
import { SkepError } from "../schemas/errors.ts";
import type { Queryable, Sql, Transaction } from "../store/postgres/pool.ts";
import { audit } from "../store/queries/audit.ts";
import { type ApiPackageRow, packageByName } from "../store/queries/packages.ts";
import { type RepositoryRow, repositoryByName } from "../store/queries/registry.ts";
import { type ApiReleaseRow, releaseByVersion } from "../store/queries/releases.ts";
import { type UserRow, userByLogin } from "../store/queries/users.ts";
import type { Context } from "./context.ts";
import { withDatabase } from "./database.ts";

/** A command at work. */
export interface Operator {
  readonly sql: Sql;
  readonly config: ToolConfig;
  /** In the transaction of what it tells about. */
  audit(tx: Transaction, action: string, params: object): Promise<void>;
}

/** Opens the database, in the API's role, for one command. */
export async function operate(
  context: Context,
  config: ToolConfig,
  name: string,
  work: (operator: Operator) => Promise<void>,
): Promise<void> {
  await withDatabase(config, `skep ${name}`, async (database) => {
    const sql = await database.rolePool("skep_api", 2);
    await work({
      sql,
      config,
      audit: (tx, action, params) =>
        audit(tx, {
          action,
          params: { ...params, operator: loginName() },
          userId: null,
          keyId: null,
          userAgent: `skep/${context.version}`,
          remoteIp: "",
        }),
    });
  });
}

/** @returns who is logged in here, null in a container without such a name. */
function loginName(): string | null {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
}

/** @returns what a mail needs to know of the installation. */
export function mailSettingsOf({ mail, url, repository }: ToolConfig) {
  return { mail, publicUrl: url, repositoryName: repository.name };
}

/** @param login a username or a verified address @throws SkepError `not_found` */
export async function requireUser(sql: Queryable, login: string): Promise<UserRow> {
  const user = await userByLogin(sql, login.toLowerCase());
  if (user === undefined) throw new SkepError("not_found", `there is no account ${login}`);
  return user;
}

export interface FoundPackage {
  readonly repository: RepositoryRow;
  readonly package: ApiPackageRow;
}

/** @param name `NAME`, or `REPOSITORY/NAME` @throws SkepError `not_found` */
export async function requirePackage({ sql, config }: Operator, name: string): Promise<FoundPackage> {
  const { repository, name: own } = splitName(config, name);
  const found = await repositoryByName(sql, repository);
  const row = found && (await packageByName(sql, found.id, own));
  if (found === undefined || row === undefined) {
    throw new SkepError("not_found", `there is no package ${own} in ${repository}`);
  }
  return { repository: found, package: row };
}

/** @returns the repository that `REPOSITORY/NAME` names, or our own. */
export function splitName(config: ToolConfig, name: string): { repository: string; name: string } {
  const [first = "", second] = name.split("/", 2);
  return second === undefined
    ? { repository: config.repository.name, name: first }
    : { repository: first, name: second };
}

/** @throws SkepError `not_found` */
export async function requireRelease(
  { sql }: Operator,
  { package: row }: FoundPackage,
  version: string,
): Promise<ApiReleaseRow> {
  const release = await releaseByVersion(sql, row.id, version);
  if (release === undefined) throw new SkepError("not_found", `there is no ${row.name} ${version}`);
  return release;
}
