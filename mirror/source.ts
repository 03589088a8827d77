/** Where a repository is read from, as a client or a mirror would. */

/** An object with what the source says of it. */
export interface SourceObject {
  readonly body: Uint8Array;
  /** Response headers, lower-case; undefined where the source has none (a folder). */
  readonly headers?: ReadonlyMap<string, string>;
}

export interface Source {
  /** For messages. */
  readonly description: string;
  /**
   * @param maxBytes beyond which the object is refused
   * @returns undefined when there is no such object (404, and 403 as S3 answers without list permission).
   * @throws {SourceError} when it cannot be read, or is too large.
   */
  read(key: string, maxBytes: number): Promise<SourceObject | undefined>;
  /** Every key that starts with the prefix; absent where a source cannot list, as over HTTP. */
  list?(prefix: string): AsyncIterable<string>;
}

export class SourceError extends Error {
  readonly code: "unreachable" | "too_large" | "status";

  constructor(code: SourceError["code"], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "SourceError";
    this.code = code;
  }
}
