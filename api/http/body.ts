/** Request bodies: JSON, forms and Erlang terms as one map of parameters. */
import { decodeTerm } from "../../hex/etf/decode.ts";
import { ApiError, badRequest } from "./errors.ts";

export type Parameters = Readonly<Record<string, unknown>>;

/** Far above any real one; uploads do not pass here. */
export const BODY_BYTES = 8_000_000;
const JSON_DEPTH = 64;

/**
 * @param type the Content-Type header
 * @returns undefined for a type that is not parsed: the body is left alone.
 * @throws ApiError 400 for a body that is not what its type says.
 */
export function parseBody(type: string | undefined, bytes: Uint8Array): Parameters | undefined {
  const media = type?.split(";", 1)[0]?.trim().toLowerCase();
  const parse = media === undefined ? undefined : PARSERS[media];
  if (parse === undefined) return undefined;
  if (bytes.length === 0) return {};
  let value: unknown;
  try {
    value = parse(bytes);
  } catch (cause) {
    throw new ApiError(400, undefined, { cause });
  }
  return asParameters(value);
}

const PARSERS: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  "application/json": parseJson,
  "application/vnd.hex+json": parseJson,
  "application/vnd.hex+erlang": (bytes) => decodeTerm(bytes),
  "application/x-www-form-urlencoded": (bytes) => Object.fromEntries(new URLSearchParams(text(bytes))),
};

function text(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

function parseJson(bytes: Uint8Array): unknown {
  const value: unknown = JSON.parse(text(bytes));
  refuseDepth(value, 0);
  return value;
}

// What is nested deeper would overflow the stack of whatever walks it.
function refuseDepth(value: unknown, depth: number): void {
  if (typeof value !== "object" || value === null) return;
  if (depth > JSON_DEPTH) throw badRequest();
  for (const item of Object.values(value)) refuseDepth(item, depth + 1);
}

function asParameters(value: unknown): Parameters {
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return withoutBlanks(value) as Parameters;
  return { _json: withoutBlanks(value) };
}

/**
 * Blank text is a missing value: null, and dropped from lists. mix relies on it: its keys carry
 * `"resource": ""`. The result has no prototype, so that `__proto__` is a key like any other.
 */
export function withoutBlanks(value: unknown): unknown {
  if (typeof value === "string") {
    // Postgres holds no NUL, so no such text can name or be anything.
    if (value.includes("\0")) throw badRequest();
    return value.trim() === "" ? null : value;
  }
  if (Array.isArray(value)) {
    return value
      .map(withoutBlanks)
      .filter((item, index) => !(item === null && typeof value[index] === "string"));
  }
  if (typeof value !== "object" || value === null) return value;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) copy[key] = withoutBlanks(item);
  return copy;
}
