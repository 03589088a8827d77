/** What a generator counts by itself, as it is named for Prometheus. */
import { Counter, type Registry } from "prom-client";
import type { GeneratorCounters } from "../../generator/context.ts";

type Counted = readonly [name: string, help: string];

/** A counter without a line here does not compile. */
const COUNTERS: { readonly [Name in keyof GeneratorCounters]: Counted } = {
  builds: ["skep_builds_total", "Builds that were recorded."],
  buildsFailed: ["skep_build_failures_total", "Rounds of builds that failed and are tried again."],
  puts: ["skep_objects_written_total", "Objects put into the public store."],
  deletes: ["skep_objects_deleted_total", "Objects deleted from the public store."],
  adopted: ["skep_objects_adopted_total", "Objects found as they should be, though they were not recorded."],
  overtaken: ["skep_overtaken_total", "Builds given up, as another generator had taken over."],
  purges: ["skep_purges_total", "Rounds of purges that the CDN accepted."],
  purgesFailed: ["skep_purge_failures_total", "Rounds that the CDN refused, or after which it was stale."],
  staleReads: ["skep_stale_reads_total", "Objects that the CDN served stale after a purge."],
  samples: ["skep_samples_total", "Objects that the sampler has compared with the records."],
  samplesMended: [
    "skep_sample_findings_total",
    "Of those, the ones that differed in the store or at the CDN.",
  ],
  samplesStale: ["skep_sample_stale_total", "Of those, the ones that only the CDN served stale."],
};

export function countCounters(registry: Registry, counters: GeneratorCounters): void {
  for (const [key, [name, help]] of Object.entries(COUNTERS)) {
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(counters[key as keyof GeneratorCounters]);
      },
    });
  }
}
