/** Whether the store holds, and the CDN serves, what is recorded: a few objects, looked at now. */
import type { EdgeReader } from "../../generator/purge/edge-reader.ts";
import { hasCode } from "../../schemas/errors.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { recordedByKey } from "../../store/queries/books.ts";
import type { FindingPlace } from "../../store/queries/findings.ts";
import { indexObjects, type RecordedEtag, randomObjects } from "../../store/queries/status.ts";

export interface ObjectsSeen {
  /** How many of them the store was asked for. */
  readonly stored: number;
  /** How many were read as clients get them. */
  readonly served: number;
  readonly stale: readonly { readonly key: string; readonly place: FindingPlace }[];
}

export interface ObjectSources {
  readonly sql: Sql;
  /** Both are undefined where there is none to be asked. */
  readonly store: Pick<ObjectStore, "head"> | undefined;
  readonly reader: EdgeReader | undefined;
  /** Told once why the store or the CDN could not be asked; the rest is looked at all the same. */
  readonly onUnread: (what: "store" | "CDN", reason: string) => void;
}

const LOOKS = 3;
const LOOK_AGAIN_MILLISECONDS = 300;

/** @param count of random objects, beside `names` and `versions` */
export async function lookAtObjects(sources: ObjectSources, count: number): Promise<ObjectsSeen> {
  const chosen = new Map(
    [...(await indexObjects(sources.sql)), ...(await randomObjects(sources.sql, count))].map((object) => [
      object.key,
      object,
    ]),
  );
  const places = [new Place("store", sources), new Place("cdn", sources)];
  const stale: { key: string; place: FindingPlace }[] = [];
  for (const object of chosen.values()) {
    for (const place of places) {
      if (await place.isAsRecorded(object)) continue;
      stale.push({ key: object.key, place: place.name });
      // What the store does not hold nobody can serve.
      break;
    }
  }
  return { stored: places[0]?.asked ?? 0, served: places[1]?.asked ?? 0, stale };
}

class Place {
  readonly name: FindingPlace;
  readonly #sources: ObjectSources;
  #isAway = false;
  #asked = 0;

  constructor(name: FindingPlace, sources: ObjectSources) {
    this.name = name;
    this.#sources = sources;
  }

  get asked(): number {
    return this.#asked;
  }

  /** @returns true also where that cannot be found out. */
  async isAsRecorded(object: RecordedEtag): Promise<boolean> {
    if (this.#isAway || !this.#canAsk(object.key)) return true;
    try {
      const fresh = await this.#compare(object);
      this.#asked += 1;
      return fresh;
    } catch (error) {
      if (!hasCode(error, "store_unavailable")) throw error;
      this.#isAway = true;
      this.#sources.onUnread(this.name === "store" ? "store" : "CDN", error.message);
      return true;
    }
  }

  #canAsk(key: string): boolean {
    const { store, reader } = this.#sources;
    if (this.name === "store") return store !== undefined;
    return reader !== undefined && (reader.reads?.(key) ?? true);
  }

  /** A build or purge of this moment explains a difference, so it is looked at again. */
  async #compare({ repositoryId, key }: RecordedEtag): Promise<boolean> {
    for (let look = 1; ; look++) {
      const found = await this.#etag(key);
      const [recorded] = await recordedByKey(this.#sources.sql, repositoryId, [key]);
      if (found === recorded?.etag) return true;
      if (look === LOOKS) return false;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MILLISECONDS));
    }
  }

  async #etag(key: string): Promise<string | undefined> {
    const { store, reader } = this.#sources;
    return this.name === "cdn" ? reader?.etag(key) : (await store?.head(key))?.etag;
  }
}
