/** What is wrong with a form, in the order of its fields. Pure. */
import { ApiError, type ValidationErrors } from "../api/http/errors.ts";

export interface Problem {
  /** Of the input; absent when it is about all of it. */
  readonly field?: string | undefined;
  readonly text: string;
}

export class Problems {
  readonly list: readonly Problem[];

  constructor(list: readonly Problem[]) {
    this.list = list;
  }

  /** Of the page that shows them. */
  get status(): 200 | 400 {
    return this.list.length > 0 ? 400 : 200;
  }

  of(field: string): string | undefined {
    return this.list.find((problem) => problem.field === field)?.text;
  }
}

export const NO_PROBLEMS = new Problems([]);

/** One that is about the whole form, or about a field. */
export function problem(text: string, field?: string): Problems {
  return new Problems([{ text, field }]);
}

/**
 * @param labels the form's fields by their names in the API, with what people call them
 * @returns what the API refused. @throws the error when it was no refusal.
 */
export function problemsOf(
  error: unknown,
  labels: Readonly<Record<string, { readonly field?: string; readonly label: string }>>,
): Problems {
  if (!(error instanceof ApiError) || error.status >= 500) throw error;
  if (error.errors === undefined) return problem(sentence(error.text ?? "this is not possible"));
  const found: Problem[] = [];
  for (const [name, text] of flat(error.errors)) {
    const known = labels[name];
    found.push({
      field: known ? (known.field ?? name) : undefined,
      text: sentence(`${known?.label ?? name} ${text}`),
    });
  }
  return new Problems(found);
}

/** Of nested errors the outer name says which field it is. */
function* flat(errors: ValidationErrors | string, outer?: string): Generator<readonly [string, string]> {
  if (typeof errors === "string") {
    yield [outer ?? "", errors];
    return;
  }
  for (const [name, value] of Object.entries(errors)) yield* flat(value, outer ?? name);
}

/** Words of the API as people write them. */
export function sentence(text: string): string {
  const trimmed = text.trim().replace("character(s)", "characters");
  const first = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
