/** The formats of answers: JSON, and the external term format that mix and rebar3 ask for. */
import { createHash } from "node:crypto";
import { encodeTerm } from "../../hex/etf/encode.ts";
import { Instant } from "../../views/instant.ts";

export type Format = "json" | "erlang";

const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  json: "application/json; charset=utf-8",
  erlang: "application/vnd.hex+erlang; charset=utf-8",
};

const MEDIA_TYPES: ReadonlyMap<string, Format> = new Map([
  ["*/*", "json"],
  ["application/*", "json"],
  ["application/json", "json"],
  ["application/vnd.hex+json", "json"],
  ["application/vnd.hex+erlang", "erlang"],
]);

/**
 * The first of the supported types with full weight, else the heaviest (RFC 9110, 12.5.1, in the simple way
 * that Hex clients rely on).
 * @param accept the header; undefined: JSON
 * @param override the `_format` parameter
 * @returns undefined when nothing that is accepted is supported.
 */
export function negotiate(accept: string | undefined, override: string | undefined): Format | undefined {
  if (override === "json" || override === "erlang") return override;
  if (accept === undefined || accept.trim() === "") return "json";
  let best: { readonly format: Format; readonly weight: number } | undefined;
  for (const item of accept.split(",")) {
    const [type = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
    const format = MEDIA_TYPES.get(type);
    const quality = parameters.find((parameter) => parameter.startsWith("q="));
    const weight = quality === undefined ? 1 : Number(quality.slice(2));
    if (format === undefined || !(weight > 0)) continue;
    if (best === undefined || weight > best.weight) best = { format, weight };
  }
  return best?.format;
}

export function contentType(format: Format): string {
  return CONTENT_TYPES[format];
}

const [OPEN, COMMA, CLOSE] = [Buffer.from("["), Buffer.from(","), Buffer.from("]")] as const;

/** A list whose items are JSON already. */
export class JsonList {
  readonly items: readonly Uint8Array[];

  constructor(items: readonly Uint8Array[]) {
    this.items = items;
  }
}

/** A body as it is sent, and its ETag. */
export class Rendered {
  readonly body: Uint8Array<ArrayBuffer>;
  /** Of the JSON form whatever is sent, so that both forms of a state have one ETag. */
  readonly etag: string;

  constructor(format: Format, value: unknown) {
    this.body = render(format, value);
    this.etag = createHash("md5")
      .update(format === "json" ? this.body : render("json", value))
      .digest("hex");
  }
}

const encoder = new TextEncoder();

/** @param value of JSON's types, with instants; a {@link JsonList} as JSON alone */
export function render(format: Format, value: unknown): Uint8Array<ArrayBuffer> {
  if (value instanceof JsonList) {
    if (format !== "json") throw new TypeError("a list of JSON is not made for another format");
    const separated = value.items.flatMap((item, index) => (index === 0 ? [item] : [COMMA, item]));
    return Buffer.concat([OPEN, ...separated, CLOSE]);
  }
  // Not as a small Buffer, which is part of a greater one and holds all of it: what is made here may be kept.
  return format === "json"
    ? encoder.encode(JSON.stringify(value))
    : new Uint8Array(encodeTerm(toTerm(value)));
}

function toTerm(value: unknown): unknown {
  if (value instanceof Instant) return value.toSeconds();
  if (Array.isArray(value)) return value.map(toTerm);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return Object.fromEntries(entries.map(([key, item]) => [key, toTerm(item)]));
}
