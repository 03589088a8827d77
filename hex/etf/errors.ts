/** Why bytes are not a term that a client may send, or why a value cannot be sent as one. */
export type EtfErrorCode =
  | "not_a_term" // the bytes do not begin with the format's version
  | "compressed" // a few bytes could inflate to gigabytes
  | "unsupported" // a tag that JSON has no counterpart for: a function, a process, a reference ...
  | "unknown_atom" // an atom other than `true`, `false` and `nil`
  | "truncated" // the bytes end inside the term
  | "trailing_bytes" // the term ends before the bytes do
  | "invalid_number" // not a finite float, or a sign that is none
  | "invalid_text" // a binary that is not UTF-8
  | "invalid_key" // a map's key that is not a binary
  | "duplicate_key" // a map names a key twice
  | "improper_list" // a list's tail is not the empty list
  | "too_deep" // nested deeper than the limit
  | "too_many" // more values than the limit
  | "too_large" // an integer of more bytes than the limit
  | "unencodable"; // a value that is not of JSON's types

/** Thrown by the decoder and the encoder of the external term format. */
export class EtfError extends Error {
  readonly code: EtfErrorCode;

  constructor(code: EtfErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "EtfError";
    this.code = code;
  }
}
