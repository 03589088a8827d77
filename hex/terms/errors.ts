/** Why a text is not a sequence of terms. */
export type TermErrorCode =
  | "illegal_characters" // no token starts here, or a string is not closed
  | "illegal_atom" // an atom that no package metadata needs
  | "invalid_terms" // the tokens form no term, or the last term has no dot
  | "too_deep" // nested deeper than the limit
  | "too_many"; // more terms than the limit

/** Thrown by the reader of terms. */
export class TermError extends Error {
  readonly code: TermErrorCode;

  constructor(code: TermErrorCode, message: string) {
    super(message);
    this.name = "TermError";
    this.code = code;
  }
}
