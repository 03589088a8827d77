/** Why a tarball is refused. */
export type TarballErrorCode =
  | "too_big" // the upload itself, or an entry that claims to be
  | "tar_invalid" // the outer tar cannot be read, or not in one way only
  | "entry_invalid" // an outer entry that is unknown, twice there, or no plain file
  | "files_missing" // one of the four outer files
  | "file_too_big" // VERSION, CHECKSUM or metadata.config
  | "version_unsupported" // VERSION is not 3
  | "checksum_invalid" // CHECKSUM is not a SHA-256 in hexadecimal
  | "checksum_mismatch" // CHECKSUM is that of other bytes
  | "metadata_invalid" // metadata.config holds no metadata
  | "contents_gzip" // contents.tar.gz is not exactly one gzip member
  | "contents_too_big" // inflated, or by the sizes of its entries
  | "contents_invalid" // the inner tar cannot be read, or not in one way only
  | "contents_path" // a name that is unsafe or not portable
  | "contents_type" // neither file nor directory nor symbolic link
  | "contents_conflict" // two entries that cannot both be extracted
  | "contents_symlink" // a link that leads out of the package
  | "docs_too_big" // the upload of documentation itself
  | "docs_gzip" // documentation that is not exactly one gzip member
  | "docs_too_big_uncompressed";

/** Thrown for every tarball that is refused. The message is written for the publisher. */
export class TarballError extends Error {
  readonly code: TarballErrorCode;

  constructor(code: TarballErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "TarballError";
    this.code = code;
  }
}

/** @returns the error for an entry of `contents.tar.gz`, in the words that Hex clients know. */
export function contentsError(code: TarballErrorCode, entry: string, reason: string): TarballError {
  return new TarballError(code, `inner tarball error, ${printable(entry)}: ${reason}`);
}

/** @returns a name that can be shown: control characters escaped, cut at 200 characters. */
export function printable(name: string): string {
  const short = name.length > 200 ? `${name.slice(0, 200)}...` : name;
  return short.replace(
    /[\p{Cc}\p{Cs}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
