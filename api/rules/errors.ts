/** Gathers validation errors: of several messages on one field the last one counts. */
import { invalid, type ValidationErrors } from "../http/errors.ts";

export class FieldErrors {
  // A map: a dependency may be named like a property that every object has.
  readonly #errors = new Map<string, string | ValidationErrors>();

  add(field: string, message: string | ValidationErrors | undefined): void {
    if (message !== undefined) this.#errors.set(field, message);
  }

  get any(): boolean {
    return this.#errors.size > 0;
  }

  /** @returns what was gathered, undefined for nothing. */
  get value(): ValidationErrors | undefined {
    return this.any ? Object.fromEntries(this.#errors) : undefined;
  }

  /** @throws ApiError 422 when there is any. */
  throwIfAny(): void {
    const { value } = this;
    if (value !== undefined) throw invalid(value);
  }
}

export const BLANK = "can't be blank";

export function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
