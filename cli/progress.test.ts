import { expect, it } from "vitest";
import { bar, openProgress } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

function recorder(canRedraw: boolean) {
  const lines: string[] = [];
  const terminal: Terminal = {
    out: () => undefined,
    say: (text) => void lines.push(text),
    redraw: canRedraw ? (text) => void lines.push(`~${text}`) : undefined,
    bold: (text) => text,
    dim: (text) => text,
    debug: false,
  };
  return { lines, terminal };
}

it.each([
  [0, 0, "[..............................]"],
  [0, 3, "[..............................]"],
  [1, 3, "[##########....................]"],
  [3, 3, "[##############################]"],
  [4, 3, "[##############################]"],
])("%i of %i", (done, total, text) => {
  expect(bar(done, total)).toBe(text);
});

it("on a terminal: a bar, redrawn a few times a second, the last state always, and then gone", () => {
  const { lines, terminal } = recorder(true);
  let now = 0;
  const progress = openProgress(terminal, "reading", "files", () => now);
  for (let done = 0; done <= 100; done++) {
    progress.update(done, 100);
    now += 10;
  }
  progress.end();
  expect(lines.length).toBeLessThan(15);
  expect(lines.at(-2)).toBe("~reading [##############################] 100 of 100 files");
  expect(lines.at(-1)).toBe("~");
});

it("elsewhere: a line now and then, none for what is quick", () => {
  const { lines, terminal } = recorder(false);
  let now = 0;
  const progress = openProgress(terminal, "reading", "files", () => now);
  for (let done = 1; done <= 4; done++) {
    now += 2_000;
    progress.update(done, 4);
  }
  progress.end();
  expect(lines).toEqual(["reading: 3 of 4 files"]);
});
