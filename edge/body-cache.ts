/** Bodies that were served lately, so that a popular object is read from the store once. */
import type { StoredObject } from "../store/objects/store.ts";

/**
 * A body is given out only to who has just seen its ETag in the store, so nothing is served from here that
 * the store no longer holds. It is kept by key, not by ETag alone: two packages may have files with the same
 * MD5 (attack: one is made to collide with the other).
 */
export class BodyCache {
  readonly #limit: number;
  /** Oldest first. */
  readonly #objects = new Map<string, StoredObject>();
  #bytes = 0;

  /** @param limit in bytes of bodies; 0 keeps nothing */
  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns the object that has this ETag, if it is here. */
  get(key: string, etag: string): StoredObject | undefined {
    const object = this.#objects.get(key);
    if (object === undefined || object.etag !== etag) return undefined;
    this.#objects.delete(key);
    this.#objects.set(key, object);
    return object;
  }

  /** Objects of more than a quarter of the limit would drive out too much. */
  set(key: string, object: StoredObject): void {
    this.delete(key);
    if (object.body.length > this.#limit / 4) return;
    this.#objects.set(key, object);
    this.#bytes += object.body.length;
    for (const oldest of this.#objects.keys()) {
      if (this.#bytes <= this.#limit) break;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#objects.get(key)?.body.length ?? 0;
    this.#objects.delete(key);
  }
}
