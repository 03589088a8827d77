/** What one build has gathered so far: what it read, and what it is going to do. */
import type { Hold } from "../store/queries/books.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Plan } from "./write/plan.ts";

export interface Build {
  readonly snapshot: Snapshot;
  readonly plan: Plan;
  /** Of the packages in scope, and of all others as recorded. */
  readonly holds: readonly Hold[];
}
