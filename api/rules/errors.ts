/** Gathers validation errors: of several messages on one field the last one counts. */
import { invalid, type ValidationErrors } from "../http/errors.ts";

export class FieldErrors {
  readonly #errors: Record<string, string | ValidationErrors> = {};

  add(field: string, message: string | ValidationErrors | undefined): void {
    if (message !== undefined) this.#errors[field] = message;
  }

  get any(): boolean {
    return Object.keys(this.#errors).length > 0;
  }

  /** @returns what was gathered, undefined for nothing. */
  get value(): ValidationErrors | undefined {
    return this.any ? { ...this.#errors } : undefined;
  }

  /** @throws ApiError 422 when there is any. */
  throwIfAny(): void {
    if (this.any) throw invalid({ ...this.#errors });
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
