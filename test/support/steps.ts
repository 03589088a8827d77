/** The steps at which tests make a generator fail, in their order. */
import type { StepName } from "../../generator/steps.ts";

export const BUILD_STEPS: readonly StepName[] = [
  "claim",
  "snapshot",
  "look",
  "intent",
  "put-tarballs",
  "put-packages",
  "put-versions",
  "put-names",
  "delete-packages",
  "record",
  "purge",
  "read-back",
  "show",
];

export const DELETE_STEPS: readonly StepName[] = ["delete-announce", "delete-objects", "delete-record"];
