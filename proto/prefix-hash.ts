/** Digests of lists of parts of which most begin like the one before. */
import { createHash, type Hash } from "node:crypto";

export class PrefixHash {
  readonly #parts: readonly Uint8Array[];
  /** Behind so many parts, each; at least behind none. */
  readonly #states: Hash[];

  /** @param earlier of the same algorithm: the parts that both begin with, the same objects, are not read again */
  constructor(algorithm: "sha256" | "sha512", parts: readonly Uint8Array[], earlier?: PrefixHash) {
    this.#parts = parts;
    this.#states =
      earlier === undefined
        ? [createHash(algorithm)]
        : earlier.#states.slice(0, 1 + commonParts(parts, earlier.#parts));
  }

  /** @param end what stands behind the parts */
  digest(end: Uint8Array): Buffer {
    for (const part of this.#parts.slice(this.#states.length - 1)) {
      this.#states.push(this.#last().copy().update(part));
    }
    return this.#last().copy().update(end).digest();
  }

  #last(): Hash {
    const last = this.#states.at(-1);
    if (last === undefined) throw new TypeError("no state of the hash");
    return last;
  }
}

function commonParts(a: readonly Uint8Array[], b: readonly Uint8Array[]): number {
  const end = Math.min(a.length, b.length);
  for (let index = 0; index < end; index++) if (a[index] !== b[index]) return index;
  return end;
}
