/** A repository in an object store. */
import type { ObjectStore } from "../store/objects/store.ts";
import { type Source, SourceError } from "./source.ts";

/** @param prefix of the repository's keys: `repos/NAME/` for a private one */
export function storeSource(store: ObjectStore, prefix = ""): Source {
  return {
    description: store.description,
    async read(key, maxBytes) {
      const object = await attempt(key, () => store.get(prefix + key));
      if (object === undefined) return undefined;
      if (object.size > maxBytes)
        throw new SourceError("too_large", `${key} has more than ${maxBytes} bytes`);
      return { body: object.body };
    },
    async *list(start) {
      const entries = store.list(prefix + start)[Symbol.asyncIterator]();
      for (;;) {
        const next = await attempt(start, () => entries.next());
        if (next.done) return;
        yield next.value.key.slice(prefix.length);
      }
    },
  };
}

async function attempt<T>(key: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    throw new SourceError("unreachable", `${key} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
