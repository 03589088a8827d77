/** A repository in an object store. */
import type { ObjectStore } from "../store/objects/store.ts";
import { type Source, SourceError } from "./source.ts";

export function storeSource(store: ObjectStore): Source {
  return {
    description: store.description,
    async read(key, maxBytes) {
      const object = await store.get(key);
      if (object === undefined) return undefined;
      if (object.size > maxBytes)
        throw new SourceError("too_large", `${key} has more than ${maxBytes} bytes`);
      return { body: object.body };
    },
    async *list(prefix) {
      for await (const { key } of store.list(prefix)) yield key;
    },
  };
}
