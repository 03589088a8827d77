/** What can be wrong with the bytes of a registry file. */

export type ProtoErrorCode =
  | "gzip_malformed" // no gzip member, or a broken one
  | "gzip_trailing" // a second member, or anything else behind the first
  | "gzip_too_large" // inflates beyond the limit
  | "protobuf_malformed" // not this message
  | "signature_missing"
  | "signature_invalid"
  | "key_invalid"; // not an RSA key in PEM

export class ProtoError extends Error {
  readonly code: ProtoErrorCode;

  constructor(code: ProtoErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "ProtoError";
    this.code = code;
  }
}
