/**
 * A claim on a repository, kept alive while its holder is. The database decides who holds it; the local
 * deadline only keeps a process that was paused from even trying to write.
 */
import { SkepError } from "../schemas/errors.ts";
import type { Sql } from "../store/postgres/pool.ts";
import {
  hasGivenClaim,
  releaseLease,
  renewLease,
  type TakenClaim,
  takeLease,
} from "../store/queries/leases.ts";

export interface LeaseTimes {
  /** How long a claim lasts without renewal. */
  readonly leaseSeconds: number;
  readonly renewSeconds: number;
}

export class Claim {
  readonly repositoryId: number;
  readonly generation: number;
  /** A UUID; objects bear it, beside the generation. */
  readonly id: string;
  readonly #known: Set<string>;
  readonly #sql: Sql;
  readonly #seconds: number;
  #validUntil: number;
  #lost = false;
  readonly #timer: NodeJS.Timeout;

  private constructor(sql: Sql, repositoryId: number, taken: TakenClaim, times: LeaseTimes, since: number) {
    this.#sql = sql;
    this.repositoryId = repositoryId;
    this.generation = taken.generation;
    this.id = taken.id;
    this.#known = new Set([taken.id]);
    this.#seconds = times.leaseSeconds;
    this.#validUntil = since + times.leaseSeconds * 1000;
    this.#timer = setInterval(() => void this.renew(), times.renewSeconds * 1000);
    this.#timer.unref();
  }

  /**
   * @returns undefined while another generator holds the repository.
   */
  static async take(
    sql: Sql,
    repositoryId: number,
    holder: string,
    times: LeaseTimes,
  ): Promise<Claim | undefined> {
    // Before the query, so that the local deadline is never later than the database's.
    const since = performance.now();
    const taken = await takeLease(sql, repositoryId, holder, times.leaseSeconds);
    return taken && new Claim(sql, repositoryId, taken, times, since);
  }

  /** As {@link take}, from whoever holds it: what it builds was read before the counters were right. */
  static async seize(sql: Sql, repositoryId: number, holder: string, times: LeaseTimes): Promise<Claim> {
    const since = performance.now();
    const taken = await takeLease(sql, repositoryId, holder, times.leaseSeconds, true);
    if (taken === undefined) throw new TypeError(`no claim on repository ${repositoryId}`);
    return new Claim(sql, repositoryId, taken, times, since);
  }

  get held(): boolean {
    return !this.#lost && performance.now() < this.#validUntil;
  }

  /** @throws SkepError `lease_lost` unless the claim is known to be ours at this moment. */
  assertHeld(): void {
    if (!this.held) throw this.lost("its lease ran out");
  }

  /** Marks the claim as lost, and @returns the error to throw. */
  lost(reason: string): SkepError {
    this.#lost = true;
    clearInterval(this.#timer);
    return new SkepError(
      "lease_lost",
      `repository ${this.repositoryId}, generation ${this.generation}: ${reason}`,
    );
  }

  /** @returns whether the database has given the claim of that id, to us or to anybody. */
  async knows(id: string): Promise<boolean> {
    if (this.#known.has(id)) return true;
    if (!(await hasGivenClaim(this.#sql, this.repositoryId, id))) return false;
    this.#known.add(id);
    return true;
  }

  /** Renews once; what fails is left to the next time, and to the deadline. */
  async renew(): Promise<void> {
    const since = performance.now();
    try {
      if (await renewLease(this.#sql, this.repositoryId, this.generation, this.#seconds)) {
        this.#validUntil = since + this.#seconds * 1000;
      } else {
        this.lost("another generator has taken over");
      }
    } catch {
      // Postgres is away: the deadline decides.
    }
  }

  async release(): Promise<void> {
    clearInterval(this.#timer);
    this.#lost = true;
    await releaseLease(this.#sql, this.repositoryId, this.generation);
  }
}
