/** Against Elixir's `Version`. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireTool } from "../../test/support/tools.ts";
import { matches, parseRequirement } from "./requirement.ts";
import { compareVersions, parseVersion } from "./version.ts";

const SEED = 20_000_101;
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "versions-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Each line of the file holds texts in base64: two versions and a requirement. */
const SCRIPT = String.raw`
[from, to] = System.argv()
answer = fn a, b, requirement ->
  with {:ok, x} <- Version.parse(a), {:ok, y} <- Version.parse(b) do
    order = Version.compare(x, y)
    case Version.parse_requirement(requirement) do
      {:ok, r} -> "#{order} #{Version.match?(x, r)} #{Version.match?(x, r, allow_pre: false)}"
      :error -> "#{order} refused"
    end
  else
    :error -> "refused"
  end
end
lines =
  for line <- File.stream!(from) do
    [a, b, r] = line |> String.trim_trailing("\n") |> String.split(" ") |> Enum.map(&Base.decode64!/1)
    [answer.(a, b, r), "\n"]
  end
File.write!(to, lines)
`;

type Row = readonly [a: string, b: string, requirement: string];

function theirs(rows: readonly Row[]): string[] {
  const [script, from, to] = [join(folder, "script.exs"), join(folder, "in"), join(folder, "out")];
  writeFileSync(script, SCRIPT);
  const lines = rows.map((row) => row.map((text) => Buffer.from(text).toString("base64")).join(" "));
  writeFileSync(from, lines.map((line) => `${line}\n`).join(""));
  // Elixir warns of each "!".
  execFileSync("elixir", [script, from, to], { cwd: folder, stdio: "ignore" });
  return readFileSync(to, "utf8").split("\n").slice(0, -1);
}

function ours([a, b, text]: Row): string {
  const version = parseVersion(a);
  if (version === undefined || parseVersion(b) === undefined) return "refused";
  const order = { [-1]: "lt", 0: "eq", 1: "gt" }[compareVersions(a, b)];
  const requirement = parseRequirement(text);
  if (requirement === undefined) return `${order} refused`;
  return `${order} ${matches(requirement, version)} ${matches(requirement, version, { allowPre: false })}`;
}

/** Mostly the one, now and then the other. */
function mostly<T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 30, arbitrary: usual }, { weight: 1, arbitrary: odd });
}

function joined(separator: string, ...parts: readonly fc.Arbitrary<string>[]): fc.Arbitrary<string> {
  return fc.tuple(...parts).map((texts) => texts.join(separator));
}

const number = mostly(fc.constantFrom("0", "1"), fc.constantFrom("2", "9007199254740993", "10", "01", ""));
const usualPre = fc.constantFrom(
  "",
  "",
  "",
  "-0",
  "-1",
  "-10",
  "-a",
  "-A",
  "-rc",
  "-rc.1",
  "-a.1",
  "--",
  "-1a",
);
const oddPre = fc
  .array(fc.constantFrom("0", "01", "00a", "rc-1", "", "_", "é", "٣", "\n"), { maxLength: 3 })
  .map((identifiers) => `-${identifiers.join(".")}`);
const build = mostly(fc.constant(""), fc.constantFrom("+b", "+1.01", "+a-b", "+", "+a+b", "+a."));
const rest = joined("", mostly(usualPre, oddPre), build);
const short = joined("", joined(".", number, number), rest);
const version = joined("", joined(".", number, number, number), rest);

const operator = fc.constantFrom("", "==", "!=", "!", ">", ">=", "<", "<=", "~>");
const space = mostly(fc.constantFrom(" ", " ", "  ", ""), fc.constantFrom("\t", "\n", "="));
const condition = fc.oneof(
  { weight: 3, arbitrary: joined("", operator, space, version) },
  joined("", mostly(fc.constant("~>"), operator), space, short),
);
const joint = mostly(
  fc.constantFrom(" and ", " or ", "  and  "),
  fc.constantFrom(" ", "and", " AND ", " or or ", ", ", " || ", "\tand ", " and\n"),
);
const requirement = fc
  .tuple(condition, fc.array(joined("", joint, condition), { maxLength: 3 }), mostly(fc.constant(""), space))
  .map(([first, others, end]) => first + others.join("") + end);
const soup = fc
  .array(fc.constantFrom("1.0.0", "1.0", " ", " ", ">=", "~>", "!", "=", "<", "and", "or", "-a", "+b"), {
    maxLength: 7,
  })
  .map((parts) => parts.join(""));

describe.runIf(requireTool("elixir"))("against elixir", () => {
  it("parses, compares and matches alike", { timeout: 60_000 }, () => {
    const row = fc.tuple(version, version, fc.oneof({ weight: 3, arbitrary: requirement }, soup));
    const rows = fc.sample(row, { numRuns: 20_000, seed: SEED });
    const answers = theirs(rows);
    for (const kind of [/^refused/, /^.. refused/, /true true/, /true false/, /false false/]) {
      expect(answers.filter((answer) => kind.test(answer)).length).toBeGreaterThan(200);
    }
    expect(rows.map((one) => `${JSON.stringify(one)}: ${ours(one)}`)).toEqual(
      rows.map((one, index) => `${JSON.stringify(one)}: ${answers[index]}`),
    );
  });
});
