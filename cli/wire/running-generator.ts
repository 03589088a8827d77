/** A generator as a part of a service. */
import { setTimeout as pause } from "node:timers/promises";
import type { GeneratorContext } from "../../generator/context.ts";
import { Generator } from "../../generator/generator.ts";
import { objectKey, type RepositoryRef } from "../../hex/keys.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import type { Service } from "../service.ts";

/**
 * Starts it. A failure that it cannot get over ends the service; the end of the service ends it after the
 * batch that it is at.
 */
export function startGenerator(
  context: GeneratorContext,
  { lifetime, metrics, teardown }: Service,
): Generator {
  const generator = new Generator(context);
  metrics?.watchGenerator(context, generator);
  const stop = new AbortController();
  const running = generator.run(stop.signal);
  running.catch((error: unknown) => lifetime.fail(error));
  teardown.add("the generator", async () => {
    stop.abort();
    // Its failure has ended the service, and is told there.
    await running.catch(() => undefined);
  });
  return generator;
}

const PATIENCE_MILLISECONDS = 10_000;
const POLL_MILLISECONDS = 50;

/**
 * Waits until a client finds the files that every repository has: whoever is told that a new one is ready may
 * ask for its key at once. Not for ever, as one whose generator is stuck still serves what it has.
 */
export async function untilWritten(
  store: ObjectStore,
  repository: RepositoryRef,
  { lifetime, log }: Pick<Service, "lifetime" | "log">,
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (const kind of ["public_key", "names", "versions"] as const) {
    while ((await store.head(objectKey(repository, { kind }))) === undefined) {
      if (lifetime.signal.aborted) return;
      if (performance.now() > deadline) return log.warn({ kind }, "this file is not written yet");
      await pause(POLL_MILLISECONDS);
    }
  }
}
