import type { Purger } from "./purger.ts";

/** For a repository that is served without a cache in front: there is nothing to purge. */
export function createNoPurger(): Purger {
  return {
    description: "no CDN",
    async purge() {},
  };
}
