/** Against Erlang's `binary_to_term/2` and `term_to_binary/2`. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireTool } from "../../test/support/tools.ts";
import { decodeTerm } from "./decode.ts";
import { encodeTerm, TermFloat } from "./encode.ts";
import { EtfError } from "./errors.ts";

const SEED = 20_000_101;
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "etf-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** One text for one value, whatever language made it. Integral floats are integers where those are exact. */
function canonical(value: unknown): string {
  if (value === null) return "a:nil";
  if (typeof value === "boolean") return `a:${value}`;
  if (typeof value === "bigint" || Number.isSafeInteger(value))
    return `i:${BigInt(Number(value) ? String(value) : 0)}`;
  if (typeof value === "number") return canonicalFloat(value);
  if (value instanceof TermFloat) return canonical(value.value);
  if (typeof value === "string") return `b:${Buffer.from(value).toString("hex")}`;
  if (Array.isArray(value)) return `l(${value.map(canonical).join(" ")})`;
  const entries = Object.entries(Object(value)).map((entry) => entry.map(canonical).join("="));
  return `m(${entries.sort().join(" ")})`;
}

function canonicalFloat(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return `f:${bytes.toString("hex")}`;
}

const HELPERS = String.raw`
c(X) when is_atom(X) -> "a:" ++ atom_to_list(X);
c(X) when is_integer(X) -> "i:" ++ integer_to_list(X);
c(X) when is_float(X), abs(X) < 9007199254740992.0, X == trunc(X) -> c(trunc(X));
c(X) when is_float(X) -> "f:" ++ hex(<<X/float>>);
c(X) when is_binary(X) -> "b:" ++ hex(X);
c(X) when is_list(X) -> "l(" ++ j([c(E) || E <- X]) ++ ")";
c(X) when is_tuple(X) -> c(tuple_to_list(X));
c(X) when is_map(X) -> "m(" ++ j(lists:sort([c(K) ++ "=" ++ c(V) || {K, V} <- maps:to_list(X)])) ++ ")".
hex(Bytes) -> lists:append([io_lib:format("~2.16.0b", [B]) || <<B>> <= Bytes]).
j(Parts) -> lists:flatten(lists:join(" ", Parts)).
in(Path) ->
  {ok, Data} = file:read_file(Path),
  [base64:decode(L) || L <- binary:split(Data, <<"\n">>, [global, trim])].
out(Path, Lines) -> ok = file:write_file(Path, [[L, $\n] || L <- Lines]).
`;

/** Runs an Erlang script whose `main/1` gets a file of `inputs` and writes a line for each into another. */
function erlang(main: string, inputs: readonly Uint8Array[]): string[] {
  const [script, from, to] = ["script", "in", "out"].map((name) => join(folder, name));
  if (script === undefined || from === undefined || to === undefined) throw new Error("three paths");
  writeFileSync(
    script,
    `#!/usr/bin/env escript\n-mode(compile).\n-compile(nowarn_unused_function).\n${main}\n${HELPERS}`,
  );
  writeFileSync(from, inputs.map((bytes) => `${Buffer.from(bytes).toString("base64")}\n`).join(""));
  execFileSync("escript", [script, from, to], { cwd: folder });
  return readFileSync(to, "utf8").split("\n").slice(0, -1);
}

const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("__proto__", "true", "é".repeat(300)));

const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom(null, true, false),
    fc.maxSafeInteger(),
    fc.integer(),
    fc.integer({ min: -300, max: 300 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer({ min: -300, max: 300 }).map((number) => new TermFloat(number)),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.bigInt({ min: -(2n ** 2_100n), max: 2n ** 2_100n }),
    text,
    fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 300 }),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.dictionary(text, tie("value"), { maxKeys: 5 }),
  ),
}));

describe.runIf(requireTool("escript"))("against erl", () => {
  const values = fc.sample(value, { numRuns: 1_000, seed: SEED });

  it("writes what Erlang reads, and reads what Erlang writes in every version", { timeout: 60_000 }, () => {
    const rows = erlang(
      String.raw`main([In, Out]) ->
        Terms = [binary_to_term(B, [safe]) || B <- in(In)],
        out(Out, [[c(T), [["\t", base64:encode(term_to_binary(T, O))] || O <- options()]] || T <- Terms]).
      options() -> [[], [{minor_version, 0}], [{minor_version, 1}], [{minor_version, 2}]].`,
      values.map(encodeTerm),
    ).map((line) => line.split("\t"));
    expect(rows.map(([meaning]) => meaning)).toEqual(values.map(canonical));
    for (const [meaning, ...forms] of rows) {
      expect(forms).toHaveLength(4);
      for (const form of forms) expect(canonical(decodeTerm(Buffer.from(form, "base64")))).toBe(meaning);
    }
  });

  it("reads tuples as arrays, and refuses what Erlang compresses", { timeout: 60_000 }, () => {
    const [small, large, compressed] = erlang(
      `main([_, Out]) ->
        Large = list_to_tuple(lists:seq(1, 300)),
        out(Out, [base64:encode(B) || B <- [term_to_binary({<<"a">>, {}, true}), term_to_binary(Large),
          term_to_binary(binary:copy(<<"a">>, 1000000), [compressed])]]).`,
      [],
    ).map((line) => Buffer.from(line, "base64"));
    expect(small && decodeTerm(small)).toEqual(["a", [], true]);
    expect(large && decodeTerm(large)).toEqual(Array.from({ length: 300 }, (_, index) => index + 1));
    expect(compressed?.length).toBeLessThan(10_000);
    expect(() => decodeTerm(compressed ?? Buffer.alloc(0))).toThrow(
      expect.objectContaining({ code: "compressed" }),
    );
  });

  it("refuses functions, processes, references and ports as Erlang writes them", { timeout: 60_000 }, () => {
    const forms = erlang(
      `main([_, Out]) ->
        Port = hd(erlang:ports()), N = 1,
        Terms = [fun(X) -> X + N end, fun lists:map/2, self(), make_ref(), Port, <<1:3>>],
        out(Out, [base64:encode(term_to_binary(W)) || T <- Terms, W <- [T, [T], #{<<"a">> => T}]]).`,
      [],
    ).map((line) => Buffer.from(line, "base64"));
    expect(forms).toHaveLength(18);
    for (const form of forms) {
      expect(() => decodeTerm(form)).toThrow(expect.objectContaining({ code: "unsupported" }));
    }
  });

  it("accepts no damaged term that Erlang refuses or reads otherwise", { timeout: 60_000 }, () => {
    const small = fc.sample(value, { numRuns: 2_000, seed: SEED }).map(encodeTerm);
    const damage = fc.sample(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), {
      numRuns: 2_000,
      seed: SEED,
    });
    const damaged = small
      .filter((bytes) => bytes.length < 2_000)
      .flatMap((bytes, index) => {
        const [at, byte] = damage[index] ?? [0, 0];
        return [bytes, replaceByte(bytes, at, byte), replaceByte(bytes, at, bytes[at % 7] ?? 0)];
      });
    const theirs = erlang(
      `main([In, Out]) ->
        out(Out, [try c(binary_to_term(B, [safe])) catch _:_ -> "refused" end || B <- in(In)]).`,
      damaged,
    );
    const ours = damaged.map(tryDecode);
    expect(ours.filter((line) => line !== "refused").length).toBeGreaterThan(1_000);
    expect(ours).toEqual(ours.map((line, index) => (line === "refused" ? line : theirs[index])));
  });
});

function replaceByte(bytes: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[1 + (at % (bytes.length - 1))] = byte;
  return copy;
}

function tryDecode(bytes: Uint8Array): string {
  try {
    return canonical(decodeTerm(bytes));
  } catch (error) {
    if (!(error instanceof EtfError)) throw error;
    return "refused";
  }
}
