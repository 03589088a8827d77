/** JSON of strangers: how many values it has, and how deep they nest, is known before any of them is made. */
import { badRequest } from "./errors.ts";

/** As for Erlang terms; eight megabytes of empty objects would be a hundred times as much memory. */
export const MOST_VALUES = 100_000;
const DEEPEST = 64;

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** @throws ApiError 400, or SyntaxError and TypeError for what is no JSON in UTF-8. */
export function parseJson(bytes: Uint8Array): unknown {
  refuseLarge(bytes);
  return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
}

function refuseLarge(bytes: Uint8Array): void {
  let values = 1;
  let depth = 0;
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) inText = !inText;
    else if (inText) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === COMMA) values += 1;
    else if (OPENING.has(byte)) {
      values += 1;
      depth += 1;
    } else if (CLOSING.has(byte)) depth -= 1;
    if (values > MOST_VALUES || depth > DEEPEST) throw badRequest();
  }
}
