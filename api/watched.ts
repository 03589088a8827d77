/** Something small in Postgres that each request needs: looked up in the background, and here at once. */
import type { ApiLog } from "./settings.ts";

export interface Watched<T> {
  current(): T;
  /** Looks it up now. Keeps what there was when that fails. */
  refresh(): Promise<void>;
  close(): void;
}

const MILLISECONDS = 1_000;

/** @throws what the first look throws. */
export async function watch<T>(what: string, look: () => Promise<T>, log: ApiLog): Promise<Watched<T>> {
  let value = await look();
  let failed = false;
  let looking: Promise<void> | undefined;
  const refresh = () => {
    looking ??= (async () => {
      try {
        value = await look();
        failed = false;
      } catch (error) {
        if (!failed) log.warn({ err: error }, `${what} cannot be looked up; what it was counts on`);
        failed = true;
      } finally {
        looking = undefined;
      }
    })();
    return looking;
  };
  const timer = setInterval(refresh, MILLISECONDS);
  timer.unref();
  return { current: () => value, refresh, close: () => clearInterval(timer) };
}
