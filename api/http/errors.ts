/** Errors as the Hex API answers them. Handlers throw these; `respond.ts` alone makes HTTP of them. */

/** Values are texts or objects again, never lists or null: mix matches on each of them. */
export type ValidationErrors = { readonly [field: string]: string | ValidationErrors };

export interface ApiErrorOptions {
  /** A few endpoints have always answered with one text. */
  readonly errors?: ValidationErrors | string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

const DEFAULT_MESSAGES: Readonly<Record<number, string>> = {
  400: "Bad request",
  404: "Page not found",
  408: "Request timeout",
  413: "Payload too large",
  415: "Unsupported media type",
  422: "Validation error(s)",
  500: "Internal server error",
};

export class ApiError extends Error {
  readonly status: number;
  /** What the client is shown; null for statuses that have no text. */
  readonly text: string | null;
  readonly errors: ValidationErrors | string | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, text?: string, options: ApiErrorOptions = {}) {
    const shown = text ?? DEFAULT_MESSAGES[status] ?? null;
    super(shown ?? `status ${status}`, { cause: options.cause });
    this.name = "ApiError";
    this.status = status;
    this.text = shown;
    this.errors = options.errors;
    this.headers = options.headers ?? {};
  }
}

export function badRequest(text?: string): ApiError {
  return new ApiError(400, text);
}

export function notFound(): ApiError {
  return new ApiError(404);
}

export function forbidden(text = "account not authorized for this action"): ApiError {
  return new ApiError(403, text);
}

/** The challenge is part of the contract, byte for byte: clients take a Bearer challenge for a wish for a code. */
export function unauthorized(text: string, challenge = "Basic realm=hex"): ApiError {
  return new ApiError(401, text, { headers: { "www-authenticate": challenge } });
}

export function invalid(errors: ValidationErrors | string): ApiError {
  return new ApiError(422, undefined, { errors });
}

/** For what will pass by itself. */
export function unavailable(text: string, cause?: unknown): ApiError {
  return new ApiError(503, text, { headers: { "retry-after": "2" }, cause });
}
