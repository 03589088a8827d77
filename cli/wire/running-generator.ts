/** A generator as a part of a service. */
import type { GeneratorContext } from "../../generator/context.ts";
import { Generator } from "../../generator/generator.ts";
import type { Service } from "../service.ts";

/**
 * Starts it. A failure that it cannot get over ends the service; the end of the service ends it after the
 * batch that it is at.
 */
export function startGenerator(context: GeneratorContext, { lifetime, teardown }: Service): Generator {
  const generator = new Generator(context);
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
