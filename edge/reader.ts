/** Reads objects as a request needs them: what they are first, their bytes only when they are sent. */
import type { ObjectHead, ObjectStore, StoredObject } from "../store/objects/store.ts";
import { BodyCache } from "./body-cache.ts";

export class EdgeReader {
  readonly #store: ObjectStore;
  readonly #cache: BodyCache;
  /** Under way, by key and ETag: a crowd that asks for one object is one request to the store. */
  readonly #pending = new Map<string, Promise<StoredObject | undefined>>();

  /** @param cacheBytes how many bytes of bodies to keep */
  constructor(store: ObjectStore, cacheBytes: number) {
    this.#store = store;
    this.#cache = new BodyCache(cacheBytes);
  }

  /** @throws SkepError `store_unavailable`, `store_key_invalid` */
  head(key: string): Promise<ObjectHead | undefined> {
    return this.#store.head(key);
  }

  /**
   * @param head what {@link head} has just said
   * @returns the object with that ETag or a later one, its ETag and its bytes from one read; undefined when
   *   it was deleted meanwhile.
   * @throws as {@link head}
   */
  async body(key: string, head: ObjectHead): Promise<StoredObject | undefined> {
    const cached = this.#cache.get(key, head.etag);
    if (cached !== undefined) return cached;
    const shared = await this.#shared(key, head.etag);
    // A read that had begun before may have brought an object older than the one that we saw.
    return shared?.etag === head.etag ? shared : this.#read(key);
  }

  #shared(key: string, etag: string): Promise<StoredObject | undefined> {
    const name = `${etag} ${key}`;
    const pending = this.#pending.get(name);
    if (pending !== undefined) return pending;
    const reading = this.#read(key).finally(() => this.#pending.delete(name));
    this.#pending.set(name, reading);
    return reading;
  }

  async #read(key: string): Promise<StoredObject | undefined> {
    const object = await this.#store.get(key);
    if (object === undefined) this.#cache.delete(key);
    else this.#cache.set(key, object);
    return object;
  }
}
