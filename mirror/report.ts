/** What a verification finds. */

/** Every check by name; an operator's script may match on them. */
export const CHECKS = [
  "missing", // a file that must be there is not
  "unreadable", // it could not be fetched, or is too large
  "gzip", // not one gzip member with nothing behind it
  "protobuf", // not the message that belongs there
  "canonical", // the message has another encoding than Hex's own encoder gives it
  "signature", // not signed, or not by this key
  "public-key", // not a key, not the expected one, or not in the form that every client reads
  "repository", // names another repository
  "name", // names another package, or what cannot be one
  "order", // a list is not in its order, or has something twice
  "version", // not a version
  "empty", // a package without a release
  "indexes", // an index that points nowhere
  "agreement", // two files contradict each other
  "checksum", // a checksum has a wrong length, or is not that of the tarball
  "gleam-optional", // `optional` is written although it is false: gleam takes it for true
  "redundant", // `app` or `repository` is written although it says nothing
  "tarball", // the tarball is not a package, or is another one
  "stray", // nothing names this file
  "headers", // an HTTP header that some client cannot work with
] as const;

export type Check = (typeof CHECKS)[number];

export interface Finding {
  /** The file, by its key below the repository's root. */
  readonly key: string;
  readonly check: Check;
  /**
   * An error makes a client fail or misleads it; a warning is about what clients bear, or what only gleam
   * minds, which cannot be pointed at a repository of one's own.
   */
  readonly severity: "error" | "warning";
  /** One line of printable characters, whatever the files hold. */
  readonly message: string;
}

export interface Report {
  /** In the order of keys. */
  readonly findings: readonly Finding[];
  /** Files that were read. */
  readonly files: number;
  readonly packages: number;
  readonly releases: number;
  /** Bytes that were read. */
  readonly bytes: number;
  /** What the indexes say of themselves, where this project made them: whoever has read a higher one before is being served old files. */
  readonly revisions: { readonly names?: number; readonly versions?: number };
}

const LONGEST_MESSAGE = 500;

/** Gathers findings. */
export class Findings {
  readonly #list: Finding[] = [];

  error(key: string, check: Check, message: string): void {
    this.#add(key, check, "error", message);
  }

  warning(key: string, check: Check, message: string): void {
    this.#add(key, check, "warning", message);
  }

  /** @returns all of them in the order of keys, those of one key as they came. */
  sorted(): readonly Finding[] {
    return this.#list.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  }

  #add(key: string, check: Check, severity: Finding["severity"], message: string): void {
    this.#list.push({ key: printable(key), check, severity, message: printable(message) });
  }
}

/** A repository may hold anything: no text of it may steer a terminal or fake a line of a log. */
function printable(text: string): string {
  const short = text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)}...` : text;
  return short.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
