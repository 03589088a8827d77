/** Reads files of a repository with all the checks that belong to one file alone. */
import type { KeyObject } from "node:crypto";
import { ProtoError } from "../proto/errors.ts";
import { gunzipOneMember } from "../proto/gzip.ts";
import { openSigned, verifySigned } from "../proto/sign.ts";
import type { Check, Findings } from "./report.ts";
import { type Source, SourceError, type SourceObject } from "./source.ts";

/** What a file may have at most, in bytes. */
export interface FileLimits {
  readonly file: number;
  readonly payload: number;
}

/** How one kind of file is decoded and encoded. */
export interface FileCodec<T> {
  decode(payload: Uint8Array): T;
  encode(message: T): Uint8Array;
}

export class RepositoryReader {
  readonly #source: Source;
  readonly #findings: Findings;
  files = 0;
  bytes = 0;
  /** Undefined while it is not known; then signatures are not looked at. */
  publicKey: KeyObject | undefined;

  constructor(source: Source, findings: Findings) {
    this.#source = source;
    this.#findings = findings;
  }

  /** @returns undefined, after a finding, when the file cannot be had. */
  async read(key: string, maxBytes: number): Promise<SourceObject | undefined> {
    try {
      const object = await this.#source.read(key, maxBytes);
      if (object === undefined) this.#findings.error(key, "missing", "there is no such file");
      this.files += object === undefined ? 0 : 1;
      this.bytes += object?.body.length ?? 0;
      return object;
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      this.#findings.error(key, "unreadable", error.message);
      return undefined;
    }
  }

  /** @returns undefined, after a finding, when a client could make nothing of the file. */
  async message<T>(key: string, codec: FileCodec<T>, limits: FileLimits): Promise<T | undefined> {
    const object = await this.read(key, limits.file);
    if (object === undefined) return undefined;
    this.checkHeaders(key, object);
    try {
      const payload = this.#open(unpack(object, limits.payload));
      const message = codec.decode(payload);
      if (!Buffer.from(codec.encode(message)).equals(payload)) {
        this.#findings.warning(
          key,
          "canonical",
          "unknown fields, or not encoded as Hex's own encoder does it",
        );
      }
      return message;
    } catch (error) {
      if (!(error instanceof ProtoError)) throw error;
      this.#findings.error(key, checkOf(error), error.message);
      return undefined;
    }
  }

  // Nothing of an unsigned payload is decoded: what it might cost is up to whoever holds the key.
  #open(signed: Uint8Array): Uint8Array {
    return this.publicKey === undefined ? openSigned(signed).payload : verifySigned(signed, this.publicKey);
  }

  /** Of a registry file or a tarball; a source without headers has nothing to check. */
  checkHeaders(key: string, { headers }: SourceObject): void {
    if (headers === undefined) return;
    const encoding = encodingOf(headers);
    // mix unpacks twice then and never ends; rebar3 keeps a tarball as it was sent.
    if (encoding !== undefined) {
      this.#findings.error(
        key,
        "headers",
        `sent with Content-Encoding: ${encoding}, which clients cannot read`,
      );
    }
    const etag = headers.get("etag");
    if (etag === undefined) {
      this.#findings.error(key, "headers", "sent without an ETag, which rebar3 insists on");
    } else if (etag.startsWith("W/")) {
      this.#findings.warning(key, "headers", "sent with a weak ETag");
    }
  }
}

function encodingOf(headers: ReadonlyMap<string, string> | undefined): string | undefined {
  const encoding = headers?.get("content-encoding");
  return encoding === "identity" ? undefined : encoding;
}

/** Under a Content-Encoding the source has unpacked the file already, as mix's HTTP layer does. */
function unpack({ body, headers }: SourceObject, maxBytes: number): Uint8Array {
  const unpacked = encodingOf(headers) !== undefined && !(body[0] === 0x1f && body[1] === 0x8b);
  return unpacked ? body : gunzipOneMember(body, maxBytes);
}

function checkOf(error: ProtoError): Check {
  switch (error.code) {
    case "gzip_malformed":
    case "gzip_trailing":
    case "gzip_too_large":
      return "gzip";
    case "signature_missing":
    case "signature_invalid":
      return "signature";
    case "key_invalid":
      return "public-key";
    case "protobuf_malformed":
      return "protobuf";
  }
}
