/** Reads files of a repository with all the checks that belong to one file alone. */
import { ProtoError } from "../proto/errors.ts";
import { gunzipOneMember } from "../proto/gzip.ts";
import { openSigned, verifySigned } from "../proto/sign.ts";
import type { Findings } from "./report.ts";
import { type Source, SourceError, type SourceObject } from "./source.ts";

// Ten times the largest that exist.
const LARGEST_FILE = 256 << 20;
const LARGEST_PAYLOAD = 1 << 30;

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
  /** PEM; undefined while it is not known, and signatures are not looked at. */
  publicKey: string | undefined;

  constructor(source: Source, findings: Findings) {
    this.#source = source;
    this.#findings = findings;
  }

  /** @returns undefined, after a finding, when the file cannot be had. */
  async read(key: string, maxBytes = LARGEST_FILE): Promise<SourceObject | undefined> {
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
  async message<T>(key: string, codec: FileCodec<T>): Promise<T | undefined> {
    const object = await this.read(key);
    if (object === undefined) return undefined;
    this.#checkHeaders(key, object);
    try {
      const signed = gunzipOneMember(object.body, LARGEST_PAYLOAD);
      const payload =
        this.publicKey === undefined ? openSigned(signed).payload : verifySigned(signed, this.publicKey);
      const message = codec.decode(payload);
      if (!Buffer.from(codec.encode(message)).equals(payload)) {
        this.#findings.warning(key, "canonical", "the payload is not encoded as Hex's own encoder does it");
      }
      return message;
    } catch (error) {
      if (!(error instanceof ProtoError)) throw error;
      this.#findings.error(key, checkOf(error), error.message);
      return undefined;
    }
  }

  #checkHeaders(key: string, { headers }: SourceObject): void {
    if (headers === undefined) return;
    const encoding = headers.get("content-encoding");
    // mix unpacks twice then, and never ends.
    if (encoding !== undefined && encoding !== "identity") {
      this.#findings.error(key, "headers", `sent with Content-Encoding: ${encoding}, which mix cannot read`);
    }
    this.checkEtag(key, headers);
  }

  /** rebar3 takes a tarball without an ETag for a failure. */
  checkEtag(key: string, headers: ReadonlyMap<string, string> | undefined): void {
    if (headers === undefined) return;
    const etag = headers.get("etag");
    if (etag === undefined)
      this.#findings.error(key, "headers", "sent without an ETag, which rebar3 insists on");
    else if (etag.startsWith("W/")) this.#findings.warning(key, "headers", "sent with a weak ETag");
  }
}

function checkOf(error: ProtoError) {
  if (error.code.startsWith("gzip")) return "gzip";
  if (error.code.startsWith("signature")) return "signature";
  return error.code === "key_invalid" ? "public-key" : "protobuf";
}
