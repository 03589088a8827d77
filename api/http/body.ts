/** Request bodies: JSON, forms and Erlang terms as one map of parameters. */
import { decodeTerm } from "../../hex/etf/decode.ts";
import { ApiError, badRequest } from "./errors.ts";
import { MOST_VALUES, parseJson } from "./json.ts";

export type Parameters = Readonly<Record<string, unknown>>;

/** Far above any real one; uploads do not pass here. */
export const BODY_BYTES = 8_000_000;

/**
 * @param type the Content-Type header
 * @returns undefined for a type that is not parsed: the body is left alone.
 * @throws ApiError 400 for a body that is not what its type says.
 */
export function parseBody(type: string | undefined, bytes: Uint8Array): Parameters | undefined {
  const media = type?.split(";", 1)[0]?.trim().toLowerCase();
  const parse = media === undefined ? undefined : PARSERS.get(media);
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

// A map, as a type that a client names may be that of a method every object has.
const PARSERS: ReadonlyMap<string, (bytes: Uint8Array) => unknown> = new Map([
  ["application/json", parseJson],
  ["application/vnd.hex+json", parseJson],
  ["application/vnd.hex+erlang", (bytes: Uint8Array) => decodeTerm(bytes)],
  ["application/x-www-form-urlencoded", parseForm],
]);

function parseForm(bytes: Uint8Array): unknown {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  if (text.split("&", MOST_VALUES + 1).length > MOST_VALUES) throw badRequest();
  // URLSearchParams would put other characters in place of what is no UTF-8.
  decodeURIComponent(text);
  return Object.fromEntries(new URLSearchParams(text));
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
    // Postgres holds neither a NUL nor half a character, so no such text can name or be anything.
    if (!isStorable(value)) throw badRequest();
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

/** @returns whether Postgres can hold the text. */
export function isStorable(text: string): boolean {
  // Under the u flag a surrogate matches only where it stands alone.
  return !text.includes("\0") && !/[\uD800-\uDFFF]/u.test(text);
}
