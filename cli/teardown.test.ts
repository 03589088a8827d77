import { expect, it } from "vitest";
import { Teardown } from "./teardown.ts";

function log() {
  const lines: string[] = [];
  return { lines, error: (_: object, message: string) => void lines.push(message) };
}

it("ends what was begun in the opposite order, whatever fails", async () => {
  const done: string[] = [];
  const teardown = new Teardown();
  teardown.add("the first", () => void done.push("first"));
  teardown.add("the second", () => Promise.reject(new Error("no")));
  teardown.add("the third", async () => void done.push("third"));
  const { lines, error } = log();
  await teardown.run({ error }, 1_000);
  expect(done).toEqual(["third", "first"]);
  expect(lines).toEqual(["the second did not end well"]);
});

it("does not wait for ever", async () => {
  const teardown = new Teardown();
  teardown.add("it", () => new Promise(() => undefined));
  await expect(teardown.run(log(), 10)).rejects.toThrow("the stop takes too long");
});
