/** An object store in memory, for tests and as the reference of how the others behave. */
import { createHash } from "node:crypto";
import { assertKey, assertPrefix, compareKeys } from "./key.ts";
import { assertMetadata, checkPrecondition } from "./precondition.ts";
import type { ListedObject, ObjectHead, ObjectStore, PutOptions, StoredObject } from "./store.ts";

export class MemoryStore implements ObjectStore {
  readonly conditionalDelete = true;
  readonly description = "memory";
  readonly #objects = new Map<string, StoredObject>();

  async get(key: string): Promise<StoredObject | undefined> {
    assertKey(key);
    const object = this.#objects.get(key);
    // Copies in and out: what a caller does with its bytes must not reach the store.
    return object && { ...object, body: Buffer.from(object.body) };
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    assertKey(key);
    const object = this.#objects.get(key);
    if (object === undefined) return undefined;
    const { body: _, ...head } = object;
    return head;
  }

  async put(key: string, body: Uint8Array, options: PutOptions): Promise<{ readonly etag: string }> {
    assertKey(key);
    assertMetadata(options.metadata);
    checkPrecondition(key, options.precondition, this.#objects.get(key)?.etag);
    const etag = createHash("md5").update(body).digest("hex");
    this.#objects.set(key, {
      etag,
      size: body.length,
      lastModified: new Date(),
      contentType: options.contentType,
      cacheControl: options.cacheControl,
      metadata: { ...options.metadata },
      body: Buffer.from(body),
    });
    return { etag };
  }

  async delete(key: string, options: { readonly ifMatch?: string } = {}): Promise<void> {
    assertKey(key);
    const etag = this.#objects.get(key)?.etag;
    if (etag === undefined) return;
    if (options.ifMatch !== undefined) checkPrecondition(key, { kind: "match", etag: options.ifMatch }, etag);
    this.#objects.delete(key);
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    assertPrefix(prefix);
    const keys = [...this.#objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys);
    for (const key of keys) {
      const object = this.#objects.get(key);
      if (object === undefined) continue;
      yield { key, etag: object.etag, size: object.size, lastModified: object.lastModified };
    }
  }

  async close(): Promise<void> {}
}
