/** The part of npm's `fastly-purge` 1.0 that is used here; the package has no types. */
declare module "fastly-purge" {
  class FastlyPurge {
    constructor(apiKey: string, options?: { softPurge?: boolean });
    key(
      serviceId: string,
      key: string,
      // Mutated by the call.
      options: { softPurge?: boolean },
      callback: (
        error: (Error & { statusCode?: number }) | null,
        // Parsed when the content type is exactly `application/json`, otherwise text.
        body?: unknown,
      ) => void,
    ): void;
  }
  export = FastlyPurge;
}
