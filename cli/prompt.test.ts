import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { readPasswordLine } from "./prompt.ts";

it.each<[chunks: readonly string[], password: string]>([
  [["secret\n"], "secret"],
  [["secret"], "secret"],
  [["sec", "ret\r\nmore"], "secret"],
  [[" with spaces \n"], " with spaces "],
  [[], ""],
])("%j", async (chunks, password) => {
  expect(await readPasswordLine(Readable.from(chunks))).toBe(password);
});
