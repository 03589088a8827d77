/**
 * Public keys that live elsewhere and may be replaced while we run: kept for as long as they cannot be read again, so
 * that tokens are judged while whoever publishes the keys is down.
 */
import type { KeyObject } from "node:crypto";
import { keyIdOf, type TokenVerifiers } from "../schemas/access-token/keys.ts";

export interface KeySource {
  /**
   * @param keyId of the key that a token names
   * @returns the keys that may have signed it; none of them has when it names one that there is not.
   * @throws Error while no key could be read at all.
   */
  keysFor(keyId: string | undefined): Promise<TokenVerifiers>;
}

/** Keys that stay as they are. */
export function fixedKeys(verifiers: TokenVerifiers): KeySource {
  return { keysFor: async () => verifiers };
}

export interface RenewedKeysOptions {
  readonly load: () => Promise<readonly KeyObject[]>;
  /** Milliseconds that never go back. */
  readonly now: () => number;
  /** Told when the keys could not be read. */
  readonly onFailure: (error: unknown) => void;
}

// As long as the key set may be cached.
const STALE_MILLISECONDS = 600_000;
// Anybody can send a token that names an unknown key.
const UNKNOWN_MILLISECONDS = 10_000;
const FIRST_MILLISECONDS = 1_000;

export class RenewedKeys implements KeySource {
  readonly #options: RenewedKeysOptions;
  #keys: ReadonlyMap<string, KeyObject> | undefined;
  #triedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor(options: RenewedKeysOptions) {
    this.#options = options;
  }

  async keysFor(keyId: string | undefined): Promise<TokenVerifiers> {
    const isKnown = keyId === undefined || this.#keys?.has(keyId);
    if (this.#keys === undefined) await this.#renewAfter(FIRST_MILLISECONDS);
    else if (!isKnown) await this.#renewAfter(UNKNOWN_MILLISECONDS);
    // Nobody waits for what is only to be on the safe side.
    else void this.#renewAfter(STALE_MILLISECONDS);
    if (this.#keys === undefined) throw new Error("the public keys could not be read yet");
    const named = keyId === undefined ? undefined : this.#keys.get(keyId);
    if (named !== undefined) return { publicKeys: [named] };
    // Tokens of earlier releases name none.
    return { publicKeys: keyId === undefined ? [...this.#keys.values()] : [] };
  }

  /** Reads the keys unless that was tried more recently. Never rejects. */
  #renewAfter(milliseconds: number): Promise<void> {
    if (this.#loading !== undefined) return this.#loading;
    const now = this.#options.now();
    if (now - this.#triedAt < milliseconds) return Promise.resolve();
    this.#triedAt = now;
    this.#loading = this.#renew().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #renew(): Promise<void> {
    try {
      const keys = await this.#options.load();
      this.#keys = new Map(keys.map((key) => [keyIdOf(key), key]));
    } catch (error) {
      this.#options.onFailure(error);
    }
  }
}
