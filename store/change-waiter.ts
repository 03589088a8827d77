/**
 * Lets a publish wait until installs see it: woken by NOTIFY, and by polling in case a notification was
 * missed. One connection serves all who wait in this process; several processes wait independently.
 */
import type { Sql } from "./postgres/pool.ts";
import { VISIBLE_CHANNEL, visibleChanges } from "./queries/changes.ts";

export interface ChangeWaiter {
  /** @returns true once the change is visible, false when `milliseconds` have passed before. Never throws. */
  wait(changeId: number, milliseconds: number): Promise<boolean>;
  close(): Promise<void>;
}

const POLL_MILLISECONDS = 250;

/** @param sql a pool of which one connection is kept for LISTEN */
export async function openChangeWaiter(sql: Sql): Promise<ChangeWaiter> {
  const waiting = new Map<number, Set<() => void>>();
  const wake = (ids: Iterable<number>) => {
    for (const id of ids) for (const resolve of waiting.get(id) ?? []) resolve();
  };
  const listener = await sql.listen(VISIBLE_CHANNEL, (payload) => wake(payload.split(",").map(Number)));
  let polling = false;
  const poll = async () => {
    if (polling || waiting.size === 0) return;
    polling = true;
    try {
      wake(await visibleChanges(sql, [...waiting.keys()]));
    } catch {
      // Postgres is away: the wait is bounded, and the change is committed whatever happens here.
    } finally {
      polling = false;
    }
  };
  const timer = setInterval(poll, POLL_MILLISECONDS);
  timer.unref();

  return {
    async wait(changeId, milliseconds) {
      const seen = await new Promise<boolean>((resolve) => {
        const wakers = waiting.get(changeId) ?? new Set();
        waiting.set(changeId, wakers);
        const deadline = setTimeout(() => done(false), milliseconds);
        const waker = () => done(true);
        const done = (visible: boolean) => {
          clearTimeout(deadline);
          wakers.delete(waker);
          if (wakers.size === 0) waiting.delete(changeId);
          resolve(visible);
        };
        wakers.add(waker);
        // It may have become visible between the commit and this registration.
        void poll();
      });
      return seen;
    },
    async close() {
      clearInterval(timer);
      await listener.unlisten();
    },
  };
}
