import { DEFAULT_GENERATOR_SETTINGS, type GeneratorSettings } from "../../generator/context.ts";

/** Short times, so that what takes an hour in production takes a moment here. */
export const QUICK: GeneratorSettings = {
  ...DEFAULT_GENERATOR_SETTINGS,
  leaseSeconds: 1,
  renewSeconds: 0.2,
  deletionGraceSeconds: 0,
  recheckSeconds: [0, 0],
  secondPurgeSeconds: 0,
  purgeRetrySeconds: 0.01,
  pollSeconds: 0.05,
  writeRetryMilliseconds: 1,
};
