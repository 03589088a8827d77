/** The steps of a build by name, so that a test can make each of them fail, before and after its effect. */

export type StepName =
  | "claim"
  | "snapshot"
  | "look"
  | "intent"
  | "put-tarballs"
  | "put-packages"
  | "put-versions"
  | "put-names"
  | "delete-packages"
  | "record"
  | "purge"
  | "read-back"
  | "show"
  | "delete-announce"
  | "delete-objects"
  | "delete-record"
  | "adopt-survey"
  | "adopt-raise";

/** Called around every step, afterwards with what it took; what it throws, the step throws. */
export type StepHook = (step: StepName, phase: "before" | "after", seconds: number) => Promise<void>;

/** Runs a step between the two calls of the hook. */
export async function step<T>(hook: StepHook | undefined, name: StepName, run: () => Promise<T>): Promise<T> {
  await hook?.(name, "before", 0);
  const begun = performance.now();
  const result = await run();
  await hook?.(name, "after", (performance.now() - begun) / 1000);
  return result;
}
