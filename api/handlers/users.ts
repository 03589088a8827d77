/** Accounts. */
import { normalizeUsername } from "../../hex/names.ts";
import { isDuplicate, type Transaction } from "../../store/postgres/pool.ts";
import { organizationsOf } from "../../store/queries/organizations.ts";
import {
  emailIsVerifiedElsewhere,
  insertUser,
  packagesOwnedBy,
  type UserRow,
  userById,
  userByPublicName,
} from "../../store/queries/users.ts";
import { userWithPackages } from "../../views/user.ts";
import { authorize, requireUser } from "../auth/authorization.ts";
import { hashPassword } from "../auth/password.ts";
import type { Answer, Call, Handler } from "../call.ts";
import { pathParameter } from "../call.ts";
import { invalid, notFound } from "../http/errors.ts";
import { requestVerification } from "../mail/account-links.ts";
import type { NewAccount } from "../rules/user.ts";
import { readNewAccount } from "../rules/user.ts";
import type { ApiDependencies } from "../settings.ts";
import { auditCall } from "./change.ts";

export const createUser: Handler = async (call) => {
  const account = readNewAccount(call.params);
  const user = await createAccount(call.deps, account, async (tx, id) => {
    await auditCall(call, tx, "user.create", { id, username: account.username });
    for (const action of ["email.add", "email.primary", "email.public"]) {
      await auditCall(call, tx, action, { email: account.email });
    }
    if (!call.deps.settings.trustEmails) await requestVerification(call.deps, tx, { id, ...account });
  });
  return {
    status: 201,
    body: userWithPackages(user, [], call.deps.settings),
    headers: { location: `/api/users/${user.username}` },
  };
};

/**
 * Makes an account; the command line does it with the same function.
 * @param alongside runs in the same transaction
 * @throws ApiError 422 when the name or the address is taken.
 */
export async function createAccount(
  deps: Pick<ApiDependencies, "sql" | "random"> & {
    readonly settings: Pick<ApiDependencies["settings"], "trustEmails">;
  },
  account: NewAccount,
  alongside: (tx: Transaction, id: number) => Promise<void>,
): Promise<UserRow> {
  if (await emailIsVerifiedElsewhere(deps.sql, account.email))
    throw invalid({ emails: { email: "already in use" } });
  const passwordHash = account.password === null ? null : await hashPassword(account.password, deps.random);
  const user = await deps.sql.begin(async (tx) => {
    const row = { ...account, passwordHash, verified: deps.settings.trustEmails };
    const id = await insertUser(tx, row).catch((error: unknown) => {
      // Somebody else verified the address since we looked.
      throw isDuplicate(error, "emails_verified") ? invalid({ emails: { email: "already in use" } }) : error;
    });
    if (id === undefined) throw invalid({ username: "has already been taken" });
    await alongside(tx, id);
    return userById(tx, id);
  });
  if (user === undefined) throw new TypeError("the account that was just made is not there");
  return user;
}

export const showSelf: Handler = async (call) => {
  await authorize(call);
  const { user } = requireUser(call);
  const organizations = await organizationsOf(call.deps.sql, user.id);
  const answer = await show(call, user, organizations);
  const shown = organizations.map(({ name, role }) => ({ name, role }));
  return { ...answer, body: { ...(answer.body as object), organizations: shown } };
};

export const showUser: Handler = async (call) => {
  const user = await userByPublicName(call.deps.sql, normalizeUsername(pathParameter(call, "name")));
  if (user === undefined) throw notFound();
  const { principal } = call;
  const common = principal.kind === "user" ? await organizationsOf(call.deps.sql, principal.user.id) : [];
  return show(call, user, common);
};

/** The same for whoever is authenticated, by which old clients tried a credential out. */
export const showUserAgain: Handler = async (call) => {
  await authorize(call);
  return showUser(call);
};

/** @param common of private packages only those of these organizations are shown, which are of the user who asks */
async function show(call: Call, user: UserRow, common: readonly { readonly id: number }[]): Promise<Answer> {
  const { sql, settings } = call.deps;
  const packages = await packagesOwnedBy(
    sql,
    user.id,
    common.map(({ id }) => id),
  );
  const body = userWithPackages(user, packages, settings);
  return { status: 200, body, lastModified: user.updatedAt };
}
