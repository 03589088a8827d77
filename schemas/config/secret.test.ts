import { format, inspect } from "node:util";
import { expect, it } from "vitest";
import { Secret } from "./secret.ts";

const secret = new Secret("hunter2");

it("gives its value to who asks", () => {
  expect(secret.reveal()).toBe("hunter2");
});

it.each<[how: string, text: string]>([
  ["a template", `${secret}`],
  ["concatenation", `it is ${String(secret)}`],
  ["JSON", JSON.stringify({ secret })],
  ["inspect", inspect({ deep: { secret } }, { showHidden: true, depth: 9 })],
  ["format", format("%s %o %O %j", secret, secret, secret, secret)],
  ["its entries", JSON.stringify(Object.entries(secret))],
  ["an error's message", new Error(`cannot use ${secret}`).message],
  ["a structured clone", inspect(structuredClone({ secret }), { showHidden: true })],
])("is not shown by %s", (_, text) => {
  expect(text).not.toContain("hunter2");
});
