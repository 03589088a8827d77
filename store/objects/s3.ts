/**
 * An object store in a bucket of S3 or of a service that speaks its protocol, with conditional writes.
 *
 * Objects of this program are small (an upload is at most 16 MiB), so bodies go in one PUT, whose ETag is
 * the MD5 of the bytes except under some kinds of server-side encryption.
 */
import { createHash } from "node:crypto";
import { addAbortSignal, Readable } from "node:stream";
import {
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import { SkepError } from "../../schemas/errors.ts";
import { assertKey, assertPrefix, isKey } from "./key.ts";
import { assertMetadata, checkPrecondition } from "./precondition.ts";
import { AWS_DIALECT, learnDialect, type S3Dialect } from "./s3-dialect.ts";
import { isMissing, isPreconditionFailed, unavailable } from "./s3-errors.ts";
import { clientConfig, keyPrefix, REQUEST_MS, type S3Settings } from "./s3-settings.ts";
import type {
  ListedObject,
  ObjectHead,
  ObjectStore,
  Precondition,
  PutOptions,
  StoredObject,
} from "./store.ts";

const READ_ATTEMPTS = 3;

/**
 * Opens a bucket for reading and writing; learns first which dialect the service speaks.
 * @throws SkepError `store_unavailable` when it cannot be written to; `config_invalid`, `store_key_invalid`
 *   for settings that cannot work.
 */
export async function openS3Store(settings: S3Settings): Promise<S3Store> {
  const tried: S3Store[] = [];
  try {
    const dialect = await learnDialect((candidate) => {
      const store = new S3Store(settings, candidate);
      tried.push(store);
      return store;
    });
    return new S3Store(settings, dialect);
  } finally {
    for (const store of tried) await store.close();
  }
}

export class S3Store implements ObjectStore {
  readonly conditionalDelete: boolean;
  readonly description: string;
  readonly #bucket: string;
  readonly #prefix: string;
  readonly #dialect: S3Dialect;
  readonly #timeoutMs: number;
  /** Tries again by itself: reading twice does no harm. */
  readonly #reader: S3Client;
  /** Never tries again: a second try could meet the first one's success, and would be told 412. */
  readonly #writer: S3Client;

  /**
   * Sends nothing yet. For reading alone no dialect is needed; for writing use {@link openS3Store}.
   * @throws SkepError `config_invalid`, `store_key_invalid` for settings that cannot work.
   */
  constructor(settings: S3Settings, dialect: S3Dialect = AWS_DIALECT) {
    this.#bucket = settings.bucket;
    this.#prefix = keyPrefix(settings);
    this.#dialect = dialect;
    this.conditionalDelete = dialect.conditionalDelete;
    this.#timeoutMs = settings.requestTimeoutMs ?? REQUEST_MS;
    this.#reader = new S3Client(clientConfig(settings, READ_ATTEMPTS));
    this.#writer = new S3Client(clientConfig(settings, 1));
    const where = settings.endpoint === undefined ? "" : ` at ${settings.endpoint}`;
    this.description = `bucket ${settings.bucket}${this.#prefix && `, folder ${this.#prefix}`}${where}`;
  }

  async get(key: string): Promise<StoredObject | undefined> {
    assertKey(key);
    return this.#read(key, async (signal) => {
      const answer = await this.#reader.send(new GetObjectCommand(this.#at(key)), { abortSignal: signal });
      const body = await bodyOf(answer, signal);
      return { ...headFrom(answer), size: body.length, body };
    });
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    assertKey(key);
    return this.#read(key, async (signal) =>
      headFrom(await this.#reader.send(new HeadObjectCommand(this.#at(key)), { abortSignal: signal })),
    );
  }

  async put(key: string, body: Uint8Array, options: PutOptions): Promise<{ readonly etag: string }> {
    assertKey(key);
    assertMetadata(options.metadata);
    const command = new PutObjectCommand({
      ...this.#at(key),
      ...this.#conditions(options.precondition),
      Body: body,
      ContentLength: body.length,
      ContentMD5: createHash("md5").update(body).digest("base64"),
      // S3 would make something up.
      ContentType: options.contentType ?? "application/octet-stream",
      CacheControl: options.cacheControl,
      Metadata: { ...options.metadata },
    });
    try {
      const answer = await this.#writer.send(command, { abortSignal: this.#deadline() });
      return { etag: bareEtag(answer.ETag) };
    } catch (error) {
      throw await this.#whyNotPut(key, options.precondition, error);
    }
  }

  async delete(key: string, options: { readonly ifMatch?: string } = {}): Promise<void> {
    assertKey(key);
    const { ifMatch } = options;
    if (ifMatch !== undefined && !this.conditionalDelete) {
      const head = await this.head(key);
      if (head === undefined) return;
      checkPrecondition(key, { kind: "match", etag: ifMatch }, head.etag);
    }
    const condition = ifMatch !== undefined && this.conditionalDelete ? { IfMatch: this.#etag(ifMatch) } : {};
    try {
      const command = new DeleteObjectCommand({ ...this.#at(key), ...condition });
      await this.#writer.send(command, { abortSignal: this.#deadline() });
    } catch (error) {
      if (isMissing(error)) return;
      if (isPreconditionFailed(error))
        throw new SkepError("store_precondition", `${key} has another ETag than ${ifMatch}`);
      throw unavailable(`delete ${key}`, error);
    }
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    assertPrefix(prefix);
    let token: string | undefined;
    do {
      const page = await this.#page(prefix, token);
      for (const entry of page.Contents ?? []) {
        const key = entry.Key?.slice(this.#prefix.length) ?? "";
        // Consoles make objects like `folder/`, which no program could have put through this driver.
        if (!isKey(key)) continue;
        const { ETag, Size = 0, LastModified = new Date(0) } = entry;
        yield { key, etag: bareEtag(ETag), size: Size, lastModified: LastModified };
      }
      token = page.IsTruncated ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  async close(): Promise<void> {
    this.#reader.destroy();
    this.#writer.destroy();
  }

  async #whyNotPut(key: string, precondition: Precondition, error: unknown): Promise<SkepError> {
    const isMatch = precondition.kind === "match";
    const isRefused = isPreconditionFailed(error);
    // AWS answers 404 where there is nothing to match, Ceph 412; a look that fails changes nothing of that.
    const isEmpty = isRefused && isMatch && (await this.head(key).catch(() => "unknown")) === undefined;
    if (isMatch && (isEmpty || isMissing(error)))
      return new SkepError("store_not_found", `${key} is not there, so it matches no ETag`);
    if (isRefused) return new SkepError("store_precondition", `${key} is not as the write expected it`);
    return unavailable(`write ${key}`, error);
  }

  async #page(prefix: string, token: string | undefined): Promise<ListObjectsV2CommandOutput> {
    const command = new ListObjectsV2Command({
      Bucket: this.#bucket,
      Prefix: this.#prefix + prefix,
      ...(token === undefined ? {} : { ContinuationToken: token }),
    });
    try {
      return await this.#reader.send(command, { abortSignal: this.#deadline() });
    } catch (error) {
      throw unavailable(`list ${prefix || "all objects"}`, error);
    }
  }

  async #read<T>(key: string, read: (signal: AbortSignal) => Promise<T>): Promise<T | undefined> {
    try {
      return await read(this.#deadline());
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw unavailable(`read ${key}`, error);
    }
  }

  #at(key: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + key };
  }

  #conditions(precondition: Precondition): { readonly IfNoneMatch?: string; readonly IfMatch?: string } {
    if (precondition.kind === "absent") return { IfNoneMatch: "*" };
    return precondition.kind === "match" ? { IfMatch: this.#etag(precondition.etag) } : {};
  }

  #etag(etag: string): string {
    return this.#dialect.quotedEtags ? `"${etag}"` : etag;
  }

  #deadline(): AbortSignal {
    return AbortSignal.timeout(this.#timeoutMs);
  }
}

function headFrom(answer: Omit<GetObjectCommandOutput, "Body">): ObjectHead {
  return {
    etag: bareEtag(answer.ETag),
    size: answer.ContentLength ?? 0,
    lastModified: answer.LastModified ?? new Date(0),
    contentType: answer.ContentType,
    cacheControl: answer.CacheControl,
    metadata: answer.Metadata ?? {},
  };
}

/** The SDK's own deadline ends when the headers are there. */
async function bodyOf(answer: GetObjectCommandOutput, signal: AbortSignal): Promise<Uint8Array> {
  if (!(answer.Body instanceof Readable)) throw new TypeError("the SDK gave no stream");
  const chunks: Buffer[] = [];
  for await (const chunk of addAbortSignal(signal, answer.Body)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function bareEtag(etag: string | undefined): string {
  return (etag ?? "").replace(/^W\//, "").replace(/^"(.*)"$/, "$1");
}
