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

/** Called around every step; what it throws, the step throws. */
export type StepHook = (step: StepName, phase: "before" | "after") => Promise<void>;

/** Runs a step between the two calls of the hook. */
export async function step<T>(hook: StepHook | undefined, name: StepName, run: () => Promise<T>): Promise<T> {
  await hook?.(name, "before");
  const result = await run();
  await hook?.(name, "after");
  return result;
}
