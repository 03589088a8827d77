/** What a generator works with. Everything with a side effect is handed in. */
import type { Signer } from "../proto/signer.ts";
import type { ObjectStore } from "../store/objects/store.ts";
import type { Sql } from "../store/postgres/pool.ts";
import type { ShownChange } from "../store/queries/changes.ts";
import type { Urls } from "../views/urls.ts";
import type { EdgeReader } from "./purge/edge-reader.ts";
import type { Purger } from "./purge/purger.ts";
import type { StepHook } from "./steps.ts";

export interface GeneratorSettings {
  /** How long a claim lasts without renewal. */
  readonly leaseSeconds: number;
  /** Between two renewals. */
  readonly renewSeconds: number;
  /** From "no registry file names it any more" to the deletion of a tarball. */
  readonly deletionGraceSeconds: number;
  /**
   * When a key is looked at again after a generator was overtaken, as one of its requests may still be
   * under way. The last exceeds the 15 minutes after which S3 refuses a signed request.
   */
  readonly recheckSeconds: readonly number[];
  /** PUTs at a time. */
  readonly concurrency: number;
  /** Between the first and the second purge (Fastly's advice on its shields). */
  readonly secondPurgeSeconds: number;
  /** Before a purge that failed is tried again; doubled each time, up to a minute. */
  readonly purgeRetrySeconds: number;
  /** Between two samples of what is stored and served. */
  readonly sampleSeconds: number;
  /** Between two looks for work when no notification comes. */
  readonly pollSeconds: number;
  /** Between two tries of a PUT whose outcome was unknown; doubled each time. */
  readonly writeRetryMilliseconds: number;
}

export const DEFAULT_GENERATOR_SETTINGS: GeneratorSettings = {
  leaseSeconds: 10,
  renewSeconds: 3,
  deletionGraceSeconds: 3_600,
  recheckSeconds: [15, 60, 960],
  concurrency: 16,
  secondPurgeSeconds: 2,
  purgeRetrySeconds: 1,
  sampleSeconds: 10,
  pollSeconds: 1,
  writeRetryMilliseconds: 200,
};

/** The part of a logger that is used here; pino's fits. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** How the CDN is told, and asked. */
export interface Cdn {
  readonly purger: Purger;
  readonly reader: EdgeReader;
}

/** Counters for metrics and tests; they only grow. */
export interface GeneratorCounters {
  builds: number;
  buildsFailed: number;
  puts: number;
  deletes: number;
  adopted: number;
  overtaken: number;
  purges: number;
  purgesFailed: number;
  staleReads: number;
  samples: number;
  /** In the store or at the CDN. */
  samplesMended: number;
  /** Of those, the ones that the store held as recorded and the CDN did not serve. */
  samplesStale: number;
}

export interface GeneratorContext {
  readonly sql: Sql;
  readonly publicStore: ObjectStore;
  readonly privateStore: ObjectStore;
  readonly signer: Signer;
  /** Absent: objects are visible as soon as they are stored. */
  readonly cdn?: Cdn | undefined;
  readonly settings: GeneratorSettings;
  /** Absent: the API's answers are not written as files. */
  readonly twins?: Urls | undefined;
  readonly log: Log;
  /** Names this process in the lease, for people. */
  readonly holder: string;
  readonly counters: GeneratorCounters;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly onStep?: StepHook | undefined;
  /** Told of what installs see from now on, after the commit that says so. Must not throw. */
  readonly onVisible?: ((changes: readonly ShownChange[]) => void) | undefined;
}

export function newCounters(): GeneratorCounters {
  return {
    builds: 0,
    buildsFailed: 0,
    puts: 0,
    deletes: 0,
    adopted: 0,
    overtaken: 0,
    purges: 0,
    purgesFailed: 0,
    staleReads: 0,
    samples: 0,
    samplesMended: 0,
    samplesStale: 0,
  };
}
