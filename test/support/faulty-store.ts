/**
 * An object store that fails on request, around one that works. Each fault names an operation and the keys
 * that it is about, and is used up after one hit unless told otherwise:
 *
 *     const store = new FaultyStore(new MemoryStore());
 *     store.failBefore("put", "names");              // never reaches the store
 *     store.failAfter("put", /^packages\//);         // takes effect, but the answer is lost
 *     store.failAfter("get", undefined, { times: 3, skip: 1 });
 *     const pause = store.pauseBefore("put", "names");
 *     await pause.reached;                           // somebody stands there
 *     pause.release();
 *     const late = store.arriveLate("put", "names"); // the caller is told that it failed ...
 *     await late.release();                          // ... and now the request takes effect after all
 *     await store.freeze();                          // from now on reads and lists show what is there now
 *     store.heal();                                  // no more faults
 *
 * Every call is kept in `calls`; `count` and `succeeded` count them.
 */
import { SkepError } from "../../schemas/errors.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import type {
  ListedObject,
  ObjectHead,
  ObjectStore,
  PutOptions,
  StoredObject,
} from "../../store/objects/store.ts";

export type Operation = "get" | "head" | "put" | "delete" | "list";

/** A key, or what a key looks like; undefined stands for all. For `list` the prefix counts as the key. */
export type KeyPattern = string | RegExp | undefined;

export interface Call {
  readonly operation: Operation;
  readonly key: string;
  /** What the caller was told; `pending` while it waits. */
  outcome: "pending" | "succeeded" | "failed";
  /** Whether the store behind has done it, whatever the caller was told. */
  applied: boolean;
}

export interface FaultOptions {
  /** How many calls let through first. Default 0. */
  readonly skip?: number;
  /** How many calls it hits. Default 1. */
  readonly times?: number;
  /** What is thrown. Default: SkepError `store_unavailable`. */
  readonly error?: Error;
}

export interface Pause {
  /** Resolves when a call has come to the point. */
  readonly reached: Promise<void>;
  release(): void;
}

export interface LateArrival {
  /** Resolves when a call was held back, its caller having been told that it failed. */
  readonly reached: Promise<void>;
  /** Lets it through to the store. @throws what the store behind answers to it, for example 412. */
  release(): Promise<void>;
}

type Phase = "before" | "after" | "late";

interface Fault {
  readonly operation: Operation;
  readonly pattern: KeyPattern;
  readonly phase: Phase;
  skip: number;
  times: number;
  readonly act: (proceed: () => Promise<unknown>) => Promise<void>;
}

export class FaultyStore implements ObjectStore {
  readonly calls: Call[] = [];
  readonly #inner: ObjectStore;
  #faults: Fault[] = [];
  #frozen: ObjectStore | undefined;

  constructor(inner: ObjectStore) {
    this.#inner = inner;
  }

  get conditionalDelete(): boolean {
    return this.#inner.conditionalDelete;
  }

  get description(): string {
    return `faulty ${this.#inner.description}`;
  }

  /** The call fails and has no effect. */
  failBefore(operation: Operation, pattern?: KeyPattern, options: FaultOptions = {}): void {
    const { error = lost(operation) } = options;
    this.#add(operation, pattern, "before", () => Promise.reject(error), options);
  }

  /** The call takes effect, but its caller is told that it failed, as when the answer times out. */
  failAfter(operation: Operation, pattern?: KeyPattern, options: FaultOptions = {}): void {
    const { error = lost(operation) } = options;
    this.#add(operation, pattern, "after", () => Promise.reject(error), options);
  }

  pauseBefore(operation: Operation, pattern?: KeyPattern): Pause {
    return this.#pause(operation, pattern, "before");
  }

  /** The call has taken effect, and its caller does not know it yet. */
  pauseAfter(operation: Operation, pattern?: KeyPattern): Pause {
    return this.#pause(operation, pattern, "after");
  }

  /** The caller is told that it failed, while the request is still on its way. */
  arriveLate(operation: Operation, pattern?: KeyPattern): LateArrival {
    const reached = deferred();
    let arrive: () => Promise<unknown> = async () => {};
    this.#add(operation, pattern, "late", async (proceed) => {
      arrive = proceed;
      reached.resolve();
      throw lost(operation);
    });
    return {
      reached: reached.promise,
      async release() {
        await reached.promise;
        await arrive();
      },
    };
  }

  /** From now on get, head and list answer with what is there now, whatever is written. */
  async freeze(): Promise<void> {
    const copy = new MemoryStore();
    for await (const { key } of this.#inner.list("")) {
      const object = await this.#inner.get(key);
      if (object === undefined) continue;
      const { contentType, cacheControl, metadata } = object;
      await copy.put(key, object.body, {
        precondition: { kind: "none" },
        metadata,
        ...(contentType === undefined ? {} : { contentType }),
        ...(cacheControl === undefined ? {} : { cacheControl }),
      });
    }
    this.#frozen = copy;
  }

  /** Takes back all faults that have not been hit. Who stands at a pause goes on standing there. */
  heal(): void {
    this.#faults = [];
    this.#frozen = undefined;
  }

  /** @returns how often this was called, with whatever outcome. */
  count(operation: Operation, pattern?: KeyPattern): number {
    return this.#matching(operation, pattern).length;
  }

  /** @returns how often the caller was told that it succeeded. */
  succeeded(operation: Operation, pattern?: KeyPattern): number {
    return this.#matching(operation, pattern).filter((call) => call.outcome === "succeeded").length;
  }

  get(key: string): Promise<StoredObject | undefined> {
    return this.#call("get", key, () => (this.#frozen ?? this.#inner).get(key));
  }

  head(key: string): Promise<ObjectHead | undefined> {
    return this.#call("head", key, () => (this.#frozen ?? this.#inner).head(key));
  }

  put(key: string, body: Uint8Array, options: PutOptions): Promise<{ readonly etag: string }> {
    return this.#call("put", key, () => this.#inner.put(key, body, options));
  }

  delete(key: string, options?: { readonly ifMatch?: string }): Promise<void> {
    return this.#call("delete", key, () => this.#inner.delete(key, options));
  }

  async *list(prefix: string): AsyncGenerator<ListedObject> {
    yield* await this.#call("list", prefix, async () => (this.#frozen ?? this.#inner).list(prefix));
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #pause(operation: Operation, pattern: KeyPattern, phase: Phase): Pause {
    const reached = deferred();
    const released = deferred();
    this.#add(operation, pattern, phase, () => {
      reached.resolve();
      return released.promise;
    });
    return { reached: reached.promise, release: released.resolve };
  }

  #add(
    operation: Operation,
    pattern: KeyPattern,
    phase: Phase,
    act: Fault["act"],
    { skip = 0, times = 1 }: FaultOptions = {},
  ): void {
    this.#faults.push({ operation, pattern, phase, act, skip, times });
  }

  async #call<T>(operation: Operation, key: string, run: () => Promise<T>): Promise<T> {
    const call: Call = { operation, key, outcome: "pending", applied: false };
    this.calls.push(call);
    const proceed = async () => {
      const result = await run();
      call.applied = true;
      return result;
    };
    try {
      await this.#meet(call, "before", proceed);
      await this.#meet(call, "late", proceed);
      const result = await proceed();
      await this.#meet(call, "after", proceed);
      call.outcome = "succeeded";
      return result;
    } catch (error) {
      call.outcome = "failed";
      throw error;
    }
  }

  async #meet(call: Call, phase: Phase, proceed: () => Promise<unknown>): Promise<void> {
    const candidates = this.#faults.filter(
      (fault) => fault.operation === call.operation && fault.phase === phase && fits(call.key, fault.pattern),
    );
    for (const fault of candidates) {
      if (fault.skip > 0) {
        fault.skip -= 1;
        continue;
      }
      fault.times -= 1;
      if (fault.times <= 0) this.#faults = this.#faults.filter((other) => other !== fault);
      await fault.act(proceed);
    }
  }

  #matching(operation: Operation, pattern: KeyPattern): readonly Call[] {
    return this.calls.filter((call) => call.operation === operation && fits(call.key, pattern));
  }
}

function fits(key: string, pattern: KeyPattern): boolean {
  if (pattern === undefined) return true;
  return typeof pattern === "string" ? key === pattern : key.search(pattern) !== -1;
}

function lost(operation: Operation): SkepError {
  return new SkepError("store_unavailable", `injected: no answer to ${operation}`);
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
