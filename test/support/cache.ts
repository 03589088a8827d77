/**
 * A cache in front of a store, as a CDN is one: it keeps what it has fetched until it is purged by
 * surrogate key. It can refuse a purge, and it can lie: accept one and change nothing.
 */

import type { EdgeReader } from "../../generator/purge/edge-reader.ts";
import type { Purger } from "../../generator/purge/purger.ts";
import { SkepError } from "../../schemas/errors.ts";
import type { ObjectStore, StoredObject } from "../../store/objects/store.ts";

export class Cache implements Purger, EdgeReader {
  readonly description = "cache of the tests";
  readonly #store: ObjectStore;
  readonly #kept = new Map<string, StoredObject>();
  /** Refuses this many purges. */
  refusals = 0;
  /** Accepts this many purges without an effect. */
  lies = 0;
  /** Purges that were accepted, in order. */
  readonly purged: (readonly string[])[] = [];

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  async purge(surrogateKeys: readonly string[]): Promise<void> {
    if (this.refusals > 0) {
      this.refusals -= 1;
      throw new SkepError("purge_refused", "the cache refuses");
    }
    this.purged.push(surrogateKeys);
    if (this.lies > 0) {
      this.lies -= 1;
      return;
    }
    for (const [key, object] of this.#kept) {
      const own = (object.metadata["surrogate-key"] ?? "").split(" ");
      if (own.some((surrogate) => surrogateKeys.includes(surrogate))) this.#kept.delete(key);
    }
  }

  /** What a client gets. Nothing that is missing is kept. */
  async get(key: string): Promise<StoredObject | undefined> {
    const kept = this.#kept.get(key) ?? (await this.#store.get(key));
    if (kept !== undefined) this.#kept.set(key, kept);
    return kept;
  }

  /** Plants what the cache serves from now on, whatever is behind it. */
  plant(key: string, object: StoredObject): void {
    this.#kept.set(key, object);
  }

  async etag(key: string): Promise<string | undefined> {
    return (await this.get(key))?.etag;
  }
}
