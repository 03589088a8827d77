import { expect, it } from "vitest";
import { watch } from "./watched.ts";

const quiet = { info() {}, warn() {}, error() {} };

/** A promise that is resolved from outside. */
function opened(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve: () => resolve() };
}

it("a refresh sees what was so when it was asked for, also while an earlier look is under way", async () => {
  let truth = 1;
  let looks = 0;
  const [gate, started] = [opened(), opened()];
  const watched = await watch(
    "a number",
    async () => {
      looks += 1;
      const read = truth;
      if (looks === 2) {
        started.resolve();
        await gate.promise;
      }
      return read;
    },
    quiet,
  );
  try {
    const early = watched.refresh();
    await started.promise;
    truth = 2;
    const late = [watched.refresh(), watched.refresh()];
    gate.resolve();
    await Promise.all([early, ...late]);
    expect([watched.current(), looks]).toEqual([2, 3]);
  } finally {
    watched.close();
  }
});

it("what was known counts on while it cannot be looked up", async () => {
  const answers = [() => 1, () => Promise.reject(new Error("no database")), () => 3];
  const watched = await watch("a number", async () => answers.shift()?.() ?? 0, quiet);
  await watched.refresh();
  expect(watched.current()).toBe(1);
  await watched.refresh();
  expect(watched.current()).toBe(3);
  watched.close();
});
