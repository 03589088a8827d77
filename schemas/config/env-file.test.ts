import { expect, it } from "vitest";
import { parseEnvFile } from "./env-file.ts";

it.each<[line: string, value: string]>([
  ["A=1", "1"],
  ["  A = 1  ", "1"],
  ["export A=1", "1"],
  ["A=", ""],
  ["A=a b # no comment", "a b # no comment"],
  ["A=a=b", "a=b"],
  ['A="a b"', "a b"],
  ['A="say \\"a\\"\\n\\\\ \\t"', 'say "a"\n\\ \\t'],
  ["A='$HOME \\n'", "$HOME \\n"],
  ["A=it's", "it's"],
  ["\uFEFFA=1\r\n", "1"],
])("%j", (line, value) => {
  expect(parseEnvFile(line)).toEqual({ values: new Map([["A", value]]), problems: [] });
});

it("skips blank lines and comments", () => {
  expect([...parseEnvFile("\n  # A=1\n\t\r\nB=2\n").values]).toEqual([["B", "2"]]);
});

it.each<[line: string, problem: string]>([
  ["A", "line 2 is not NAME=VALUE"],
  ["=1", "line 2 is not NAME=VALUE"],
  ["A-B=1", "line 2 is not NAME=VALUE"],
  ['A="hunter2', "line 2: the quotes of A do not match"],
  ["A='hunter2' x", "line 2: the quotes of A do not match"],
  ["Z=hunter2", "line 2: Z is given a second time"],
])("names what is wrong without the value: %j", (line, problem) => {
  expect(parseEnvFile(`Z=1\n${line}`).problems).toEqual([problem]);
});
