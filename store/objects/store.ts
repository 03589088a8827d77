/**
 * The interface of an object store: two of them, a public and a private one, hold everything that is
 * not in Postgres. Drivers: memory, folder, S3. `test/contract/object-store.ts` is the contract as a
 * suite, run on every driver.
 */

/** What is known of an object without its bytes. */
export interface ObjectHead {
  /** As S3 gives it for a single PUT: the MD5 of the bytes, 32 hexadecimal digits, here without quotes. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  readonly lastModified: Date;
  readonly contentType: string | undefined;
  readonly cacheControl: string | undefined;
  /** User metadata (`x-amz-meta-*` without the prefix), keys lower-case. Empty when a driver lost it. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** An object with its bytes. */
export interface StoredObject extends ObjectHead {
  readonly body: Uint8Array;
}

/** An entry of {@link ObjectStore.list}. */
export interface ListedObject {
  readonly key: string;
  readonly etag: string;
  readonly size: number;
  readonly lastModified: Date;
}

/** What must hold for a PUT to take place; the store decides atomically. */
export type Precondition =
  | { readonly kind: "absent" } // If-None-Match: *
  | { readonly kind: "match"; readonly etag: string } // If-Match
  | { readonly kind: "none" };

export interface PutOptions {
  readonly precondition: Precondition;
  readonly contentType?: string;
  readonly cacheControl?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Keys are `/`-separated, without a leading slash, without empty, `.` or `..` segments, without control
 * characters and backslashes; no segment starts with `.skep-` or is longer than 255 bytes, no key longer than
 * 1,024. A driver throws `store_key_invalid` for any other (`key.ts`). Metadata names are `[a-z0-9-]`, values
 * printable ASCII, as they travel as headers.
 *
 * Every method may throw a SkepError `store_unavailable` when the store fails or times out. For `put`
 * and `delete` the outcome is then unknown: the caller looks and decides (docs/design.md, the writing
 * protocol). Some services also answer so to a writer who lost a race. Drivers do not retry a `put` or
 * `delete` on their own, as a retry that met its own first try would be told 412.
 */
export interface ObjectStore {
  /** @returns undefined when there is no such object. */
  get(key: string): Promise<StoredObject | undefined>;
  /** @returns undefined when there is no such object. */
  head(key: string): Promise<ObjectHead | undefined>;
  /**
   * Durable when it returns. A reader sees the old or the new object, never a mixture.
   * @returns the new object's ETag.
   * @throws SkepError `store_precondition` when the precondition does not hold, `store_not_found` when
   *   `match` meets no object at all.
   */
  put(key: string, body: Uint8Array, options: PutOptions): Promise<{ readonly etag: string }>;
  /**
   * Deletes an object; succeeds when there is none. With `ifMatch`, a store that has conditional
   * deletes throws `store_precondition` when another object is there; one that has not
   * (`conditionalDelete` false) compares before it deletes, which leaves a short window.
   */
  delete(key: string, options?: { readonly ifMatch?: string }): Promise<void>;
  /**
   * Objects whose key starts with the prefix, in ascending byte order of the key, page by page behind
   * the iterator. What is written meanwhile may or may not appear.
   */
  list(prefix: string): AsyncIterable<ListedObject>;
  readonly conditionalDelete: boolean;
  /** What it is and where, for messages; never with a secret. */
  readonly description: string;
  /** Releases connections. */
  close(): Promise<void>;
}
