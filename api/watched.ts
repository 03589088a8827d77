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
  const lookOnce = async () => {
    try {
      value = await look();
      failed = false;
    } catch (error) {
      if (!failed) log.warn({ err: error }, `${what} cannot be looked up; what it was counts on`);
      failed = true;
    }
  };
  let looking = Promise.resolve();
  let next: Promise<void> | undefined;
  // A look that is under way may have read what was before the change that the caller knows of: it takes another one.
  const refresh = () => {
    next ??= looking.then(() => {
      next = undefined;
      looking = lookOnce();
      return looking;
    });
    return next;
  };
  const timer = setInterval(refresh, MILLISECONDS);
  timer.unref();
  return { current: () => value, refresh, close: () => clearInterval(timer) };
}
