/** One request on its way through a handler, and the answer it gives. */
import type { ServerResponse } from "node:http";
import type { Micros } from "../schemas/time.ts";
import type { OwnedRepositoryRow } from "../store/queries/organizations.ts";
import type { Principal } from "./auth/principal.ts";
import type { PackageAnswers } from "./handlers/package-answers.ts";
import type { PackageEntries } from "./handlers/package-entries.ts";
import type { Parameters } from "./http/body.ts";
import type { ByteLease } from "./http/budget.ts";
import { notFound } from "./http/errors.ts";
import type { Format } from "./http/format.ts";
import type { Route } from "./route.ts";
import type { Semaphore } from "./semaphore.ts";
import type { ApiDependencies } from "./settings.ts";

export interface Call {
  readonly deps: ApiDependencies;
  readonly route: Route;
  readonly request: Request;
  readonly requestId: string;
  readonly principal: Principal;
  readonly format: Format;
  /** Query, body and path; later ones win. */
  readonly params: Parameters;
  readonly ip: string;
  readonly userAgent: string;
  /** The body of an upload that did not wait for `100 Continue`. */
  readonly upload: Buffer | undefined;
  readonly outgoing: Pick<ServerResponse, "writeContinue"> | undefined;
  /** What this request has taken of the memory for bodies. */
  readonly lease: ByteLease;
  /** What lists of packages show. */
  readonly entries: PackageEntries;
  /** What is sent of a package alone. */
  readonly answers: PackageAnswers;
  /** Bounds how many tarballs are open at a time. */
  readonly unpacking: Semaphore;
}

export interface Answer {
  readonly status: number;
  /** Absent: an empty body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Where the route's own Cache-Control does not suit what is shown. */
  readonly cache?: "public" | "private";
  /** When what is shown last changed, where one row says so. */
  readonly lastModified?: Micros | undefined;
}

export type Handler = (call: Call) => Promise<Answer>;

/** @returns a path parameter. */
export function pathParameter(call: Call, name: string): string {
  const value = call.params[name];
  if (typeof value !== "string") throw notFound();
  return value;
}

/** @returns a parameter that is text, undefined when it is missing or anything else. */
export function textParameter(call: Call, name: string): string | undefined {
  const value = call.params[name];
  return typeof value === "string" ? value : undefined;
}

/** The repository that a request is about, with the row it has now. */
export type { OwnedRepositoryRow as RepositoryRow };
