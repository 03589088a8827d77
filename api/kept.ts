/** What took long to make and is asked for again, until that which it was made of is another. */
import { LRUCache } from "lru-cache";

const MOST_BYTES = 64 << 20;

export class Kept<Value extends object> {
  readonly #values: LRUCache<string, { readonly stamp: string; readonly value: Value }>;

  /** @param lengthOf about how many bytes a value takes; of all, those that were not used for longest go */
  constructor(lengthOf: (value: Value) => number) {
    this.#values = new LRUCache({
      maxSize: MOST_BYTES,
      sizeCalculation: ({ stamp, value }, key) => key.length + stamp.length + lengthOf(value),
    });
  }

  /** @param stamp differs whenever anything that the value depends on does */
  get(key: string, stamp: string): Value | undefined {
    const kept = this.#values.get(key);
    return kept?.stamp === stamp ? kept.value : undefined;
  }

  /**
   * Whoever reads the stamp first, and then what the value is made of, may have made it of something newer. It is then
   * kept under a stamp that nobody will come with again.
   */
  keep(key: string, stamp: string, value: Value): void {
    this.#values.set(key, { stamp, value });
  }
}
