/**
 * The generator: waits for changes, builds, sees purges through, deletes what is due, samples. Several may
 * run; one works on a repository at a time.
 */
import { hasCode, SkepError } from "../schemas/errors.ts";
import { repositoriesWithLooseEnds } from "../store/queries/books.ts";
import { CHANGE_CHANNEL, forgetVisibleChanges, repositoriesWithChanges } from "../store/queries/changes.ts";
import { forgetFindings } from "../store/queries/findings.ts";
import { allRepositories, type RepositoryRow, repositoryById } from "../store/queries/registry.ts";
import { activeSigningKey } from "../store/queries/signing-key.ts";
import { runBatch } from "./batch.ts";
import { Bell } from "./bell.ts";
import { Claim } from "./claim.ts";
import type { GeneratorContext } from "./context.ts";
import { runDeletions } from "./deletions.ts";
import { IndexStates } from "./index/index-states.ts";
import { purgeLoop, runPurges } from "./purge/worker.ts";
import { requestFields } from "./request-ids.ts";
import { sample } from "./sampler.ts";
import { step } from "./steps.ts";

const LONGEST_BACKOFF_SECONDS = 30;

/** One generator of possibly several. */
export class Generator {
  readonly #context: GeneratorContext;
  readonly #changes = new Bell();
  readonly #purges = new Bell();
  readonly #claims = new Map<number, Claim>();
  readonly #cursors = new Map<number, string>();
  readonly #indexes = new IndexStates();
  #failures = 0;
  #lastSuccess = performance.now();

  constructor(context: GeneratorContext) {
    this.#context = context;
  }

  /** Milliseconds since the last round that found Postgres and the stores working: for health checks. */
  get idleMilliseconds(): number {
    return performance.now() - this.#lastSuccess;
  }

  /** How many repositories this process holds at the moment. */
  get heldClaims(): number {
    return [...this.#claims.values()].filter((claim) => claim.held).length;
  }

  /**
   * Works until the signal, then ends what has begun and gives its claims back.
   * @throws SkepError `signing_key_foreign` at once, `database_restored` when it shows; whatever else fails
   *   is logged and tried again.
   */
  async run(signal: AbortSignal): Promise<void> {
    await this.requireOwnKey();
    const stopped = new AbortController();
    const stop = AbortSignal.any([signal, stopped.signal]);
    const listener = await this.#context.sql.listen(CHANGE_CHANNEL, () => this.#changes.ring());
    try {
      await this.#readIndexes();
      await Promise.all([this.#buildLoop(stop), this.#purgeLoop(stop), this.#sampleLoop(stop)]);
    } finally {
      stopped.abort();
      await listener.unlisten().catch(() => undefined);
      await this.releaseClaims();
    }
  }

  /** Of public repositories: the others are small, and may be many. */
  async #readIndexes(): Promise<void> {
    const { sql, log } = this.#context;
    const start = performance.now();
    try {
      for (const repository of await allRepositories(sql)) {
        if (repository.public) await this.#indexes.prepare(sql, repository.id);
      }
      log.info({ milliseconds: Math.round(performance.now() - start) }, "the indexes are in memory");
    } catch (error) {
      log.warn({ err: error }, "the indexes could not be read: the first build reads them");
    }
  }

  /** @throws SkepError `signing_key_foreign` when the database was signed with another key. */
  async requireOwnKey(): Promise<void> {
    const { sql, signer } = this.#context;
    const active = await activeSigningKey(sql, signer.fingerprint, signer.publicKeyPem);
    if (active === signer.fingerprint) return;
    throw new SkepError(
      "signing_key_foreign",
      `this generator holds the key ${signer.fingerprint}, but the repository is signed with ${active}. Give it that ` +
        "key; signing everything anew is the work of `skep rotate-key`, which comes with a later release",
    );
  }

  /** Builds, deletes and purges until nothing is due. For commands and tests; {@link run} goes on for ever. */
  async settle(): Promise<void> {
    await this.requireOwnKey();
    while (await this.#round()) {
      // Each round takes up what came in during the one before.
    }
  }

  async releaseClaims(): Promise<void> {
    await Promise.all([...this.#claims.values()].map((claim) => claim.release().catch(() => undefined)));
    this.#claims.clear();
  }

  async #buildLoop(stop: AbortSignal): Promise<void> {
    let clean = performance.now();
    while (!stop.aborted) {
      const { pollSeconds } = this.#context.settings;
      let wait = pollSeconds * 1000;
      try {
        while (!stop.aborted && (await this.#buildRound())) this.#purges.ring();
        this.#failures = 0;
        this.#lastSuccess = performance.now();
        if (performance.now() - clean > 60_000) {
          await forgetVisibleChanges(this.#context.sql);
          await forgetFindings(this.#context.sql);
          clean = performance.now();
        }
      } catch (error) {
        if (hasCode(error, "database_restored")) throw error;
        wait = this.#backOff(error);
      }
      await this.#changes.wait(wait, stop);
    }
  }

  #backOff(error: unknown): number {
    this.#failures += 1;
    this.#context.counters.buildsFailed += 1;
    const seconds = Math.min(0.25 * 2 ** (this.#failures - 1), LONGEST_BACKOFF_SECONDS);
    this.#context.log.error(
      { err: error, retryInSeconds: seconds },
      "build failed: its changes stay pending",
    );
    return seconds * 1000;
  }

  /** @returns whether anything was done. */
  async #round(): Promise<boolean> {
    const built = await this.#buildRound();
    const { cdn } = this.#context;
    return built || (cdn !== undefined && (await runPurges(this.#context, cdn)) > 0);
  }

  async #buildRound(): Promise<boolean> {
    const { sql } = this.#context;
    const named = await repositoriesWithChanges(sql);
    const loose = new Set(await repositoriesWithLooseEnds(sql));
    if (named.length === 0 && loose.size === 0) return false;
    const repositories = await allRepositories(sql);
    let worked = false;
    const errors: unknown[] = [];
    for (const repository of repositories) {
      if (!named.includes(repository.name) && !loose.has(repository.id)) continue;
      try {
        worked = (await this.#work(repository)) || worked;
      } catch (error) {
        if (hasCode(error, "database_restored")) throw error;
        // The others are built all the same.
        errors.push(error);
      }
    }
    if (errors.length > 0)
      throw errors.length === 1 ? errors[0] : new AggregateError(errors, "builds failed");
    return worked;
  }

  async #work(repository: RepositoryRow): Promise<boolean> {
    const claim = await this.#claim(repository.id);
    if (claim === undefined) return false;
    const begun = performance.now();
    try {
      const result = await runBatch(this.#context, this.#indexes, claim);
      const deleted = await runDeletions(this.#context, claim, repository);
      if (result.repository !== undefined) {
        const { changes, written, removed, purgeId, requestIds } = result;
        const milliseconds = Math.round(performance.now() - begun);
        const counts = { changes, written, removed, deleted, milliseconds, purge: purgeId };
        this.#context.log.info(
          { repository: repository.name, ...counts, ...requestFields(requestIds) },
          "built",
        );
      }
      return result.repository !== undefined || deleted > 0;
    } catch (error) {
      // The next claim raises the generation, so that the intents of this one are looked at.
      this.#claims.delete(repository.id);
      await claim.release().catch(() => undefined);
      throw error;
    }
  }

  async #claim(repositoryId: number): Promise<Claim | undefined> {
    const held = this.#claims.get(repositoryId);
    if (held?.held) return held;
    this.#claims.delete(repositoryId);
    const { sql, holder, settings, onStep } = this.#context;
    return step(onStep, "claim", async () => {
      const claim = await Claim.take(sql, repositoryId, holder, settings);
      if (claim !== undefined) this.#claims.set(repositoryId, claim);
      return claim;
    });
  }

  async #purgeLoop(stop: AbortSignal): Promise<void> {
    const { cdn } = this.#context;
    if (cdn !== undefined) await purgeLoop(this.#context, cdn, this.#purges, stop);
  }

  async #sampleLoop(stop: AbortSignal): Promise<void> {
    const { settings, log } = this.#context;
    const pause = new Bell();
    while (!stop.aborted) {
      await pause.wait(settings.sampleSeconds * 1000, stop);
      if (stop.aborted) return;
      try {
        await this.sampleAll();
      } catch (error) {
        log.warn({ err: error }, "sampling failed");
      }
    }
  }

  /** Compares the next few objects of every repository with what is stored and served. */
  async sampleAll(): Promise<void> {
    for (const { id } of await allRepositories(this.#context.sql)) {
      try {
        await this.#sampleRepository(id);
      } catch (error) {
        this.#context.log.warn({ err: error }, "sampling of a repository failed");
      }
    }
  }

  async #sampleRepository(id: number): Promise<void> {
    const repository = await repositoryById(this.#context.sql, id);
    if (repository === undefined) return;
    // A random start, so that generators that restart often do not sample the same few objects.
    const from = this.#cursors.get(id) ?? String.fromCharCode(97 + Math.floor(this.#context.random() * 26));
    this.#cursors.set(id, await sample(this.#context, repository, from));
  }
}
