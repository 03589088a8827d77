/** Forms as browsers send them. */
import { isStorable } from "../api/http/body.ts";
import { ApiError, badRequest } from "../api/http/errors.ts";
import { readBody, type UploadRequest } from "../api/http/upload.ts";

const FORM_BYTES = 64 << 10;
const MOST_FIELDS = 500;

/** What was sent; nothing but text that can be stored. */
export class Form {
  readonly #values: URLSearchParams;

  constructor(values: URLSearchParams) {
    this.#values = values;
  }

  /** @returns the first value as it is, empty when there is none. */
  raw(name: string): string {
    return this.#values.get(name) ?? "";
  }

  /** @returns the first value without blanks around it. */
  text(name: string): string {
    return this.raw(name).trim();
  }

  all(name: string): readonly string[] {
    return this.#values.getAll(name);
  }
}

/** @throws ApiError 400, 408, 413, 415 or 503 */
export async function readForm(request: UploadRequest): Promise<Form> {
  const media = request.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (media !== "application/x-www-form-urlencoded") throw new ApiError(415);
  const bytes = await readBody(request, FORM_BYTES);
  const text = decode(bytes);
  if (text.split("&", MOST_FIELDS + 1).length > MOST_FIELDS) throw badRequest();
  const values = new URLSearchParams(text);
  for (const [name, value] of values) {
    if (!isStorable(name) || !isStorable(value)) throw badRequest();
  }
  return new Form(values);
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ApiError(400, undefined, { cause });
  }
}
