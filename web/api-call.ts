/** Pages do what the API does, by its own handlers: the same rules, mails and audit entries. */
import type { Answer, Call } from "../api/call.ts";
import { PackageAnswers } from "../api/handlers/package-answers.ts";
import { PackageEntries } from "../api/handlers/package-entries.ts";
import type { Parameters } from "../api/http/body.ts";
import { ByteBudget } from "../api/http/budget.ts";
import { ROUTES } from "../api/routes.ts";
import { Semaphore } from "../api/semaphore.ts";
import type { Visit } from "./visit.ts";

/** No page uploads a package. */
const NOTHING = { lease: new ByteBudget(0).lease(), unpacking: new Semaphore(0, 0) };

/**
 * @param path as the table of routes has it; its parameters are among the others
 * @returns the answer of the route, asked by who is signed in.
 * @throws ApiError as the route does.
 */
export function callApi(visit: Visit, method: string, path: string, params: Parameters): Promise<Answer> {
  const route = ROUTES.find((row) => row.method === method && row.path === path);
  if (route === undefined) throw new TypeError(`the API has no ${method} ${path}`);
  const { deps, user, requestId, ip, userAgent } = visit;
  const call: Call = {
    deps,
    route,
    request: visit.c.req.raw,
    requestId,
    // Whoever is signed in has shown the password, as with Basic.
    principal:
      user === undefined
        ? { kind: "none" }
        : { kind: "user", user, credential: { kind: "basic", verified: user.verified } },
    format: "json",
    params,
    ip,
    userAgent,
    upload: undefined,
    outgoing: undefined,
    entries: new PackageEntries(deps),
    answers: new PackageAnswers(deps),
    ...NOTHING,
  };
  return route.handler(call);
}
