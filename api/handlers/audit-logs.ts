/** The audit log, to read. */
import { type AuditScope, auditLogs } from "../../store/queries/audit.ts";
import { authorize, requireUser } from "../auth/authorization.ts";
import type { Answer, Call, Handler } from "../call.ts";
import { auditView } from "../views/audit.ts";
import { findOrganization, findTarget, requirePackage } from "./lookup.ts";
import { PAGE_SIZE, pageOf } from "./paging.ts";

export const listOwnAuditLogs: Handler = async (call) => {
  await authorize(call);
  return showAuditLogs(call, { userId: requireUser(call).user.id });
};

export const listPackageAuditLogs: Handler = async (call) => {
  const found = await findTarget(call);
  await authorize(call, found);
  return showAuditLogs(call, { packageId: requirePackage(found).package.id });
};

export const listOrganizationAuditLogs: Handler = async (call) => {
  const organization = await findOrganization(call);
  await authorize(call, { organization });
  if (organization === "everybody") return { status: 200, body: [] };
  return showAuditLogs(call, { organizationId: organization.id });
};

/** @returns a page of the entries, newest first. */
async function showAuditLogs(call: Call, scope: AuditScope): Promise<Answer> {
  const page = { offset: (pageOf(call) - 1) * PAGE_SIZE, limit: PAGE_SIZE };
  const rows = await auditLogs(call.deps.sql, scope, page);
  return { status: 200, body: rows.map(auditView) };
}
