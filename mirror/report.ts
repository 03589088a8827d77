/** What a verification finds. */

/** Every check by name; an operator's script may match on them. */
export const CHECKS = [
  "missing", // a file that must be there is not
  "unreadable", // it could not be fetched, or is too large
  "gzip", // not one gzip member with nothing behind it
  "protobuf", // not the message that belongs there
  "canonical", // the message has another encoding than Hex's own encoder gives it
  "signature", // not signed, or not by this key
  "public-key", // not a key, or not in the form that every client reads
  "repository", // names another repository
  "name", // names another package
  "order", // packages or versions not in their order, or twice
  "version", // not a version
  "empty", // a package without a release
  "indexes", // an index that points nowhere
  "agreement", // two files contradict each other
  "checksum", // a checksum has a wrong length, or is not that of the tarball
  "gleam-optional", // `optional` is written although it is false: gleam takes it for true
  "tarball", // the tarball is not a package
  "stray", // nothing names this file
  "headers", // an HTTP header that some client cannot work with
] as const;

export type Check = (typeof CHECKS)[number];

export interface Finding {
  /** The file, by its key below the repository's root. */
  readonly key: string;
  readonly check: Check;
  /** An error makes some client fail or be misled; a warning does not. */
  readonly severity: "error" | "warning";
  readonly message: string;
}

export interface Report {
  readonly findings: readonly Finding[];
  /** Files that were read. */
  readonly files: number;
  readonly packages: number;
  readonly releases: number;
  /** Bytes that were read. */
  readonly bytes: number;
}

/** Gathers findings. */
export class Findings {
  readonly list: Finding[] = [];

  error(key: string, check: Check, message: string): void {
    this.list.push({ key, check, severity: "error", message });
  }

  warning(key: string, check: Check, message: string): void {
    this.list.push({ key, check, severity: "warning", message });
  }
}
