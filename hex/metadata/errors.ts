/** Why a file of terms is not the metadata of a package. */
export type MetadataErrorCode =
  | "invalid_terms" // not readable as terms, or empty
  | "not_key_value" // a term is not a pair whose key is a binary
  | "nul_character"; // a text contains NUL

/** Thrown by `readMetadata`; its cause is the `TermError`, where there is one. */
export class MetadataError extends Error {
  readonly code: MetadataErrorCode;

  constructor(code: MetadataErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "MetadataError";
    this.code = code;
  }
}
