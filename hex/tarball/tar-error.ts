/** What is wrong with a tar, whichever of a package's two it is. */
export type TarErrorCode = "malformed" | "too_big";

/** Thrown by the tar reader; whoever reads a package says which of its tars it was. */
export class TarError extends Error {
  readonly code: TarErrorCode;

  constructor(code: TarErrorCode, message: string) {
    super(message);
    this.name = "TarError";
    this.code = code;
  }
}

export function malformed(message: string): TarError {
  return new TarError("malformed", message);
}
