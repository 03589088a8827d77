/** Against Erlang's `file:consult/1`, and against the scanner that Hex clients read metadata with. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireTool } from "../../test/support/tools.ts";
import { TermError } from "./errors.ts";
import { readTerms } from "./reader.ts";
import { atom, binary, integer, list, map, type Term, tuple } from "./term.ts";
import { writeTerm, writeTerms } from "./writer.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "terms-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** One text for one term, whatever language made it. */
function canonical(term: Term): string {
  switch (term.kind) {
    case "atom":
      return `a:${term.name}`;
    case "integer":
      return `i:${term.value}`;
    case "binary":
      return `b:${Buffer.from(term.bytes).toString("hex")}`;
    case "list":
      return `l(${term.items.map(canonical).join(" ")})`;
    case "tuple":
      return `t(${term.items.map(canonical).join(" ")})`;
    case "map":
      return `m(${term.entries
        .map((pair) => pair.map(canonical).join("="))
        .sort()
        .join(" ")})`;
  }
}

const CANONICAL = String.raw`
c(X) when is_atom(X) -> "a:" ++ atom_to_list(X);
c(X) when is_integer(X) -> "i:" ++ integer_to_list(X);
c(X) when is_binary(X) -> "b:" ++ lists:append([io_lib:format("~2.16.0b", [B]) || <<B>> <= X]);
c(X) when is_list(X) -> "l(" ++ j([c(E) || E <- X]) ++ ")";
c(X) when is_tuple(X) -> "t(" ++ j([c(E) || E <- tuple_to_list(X)]) ++ ")";
c(X) when is_map(X) -> "m(" ++ j(lists:sort([c(K) ++ "=" ++ c(V) || {K, V} <- maps:to_list(X)])) ++ ")".
j(Parts) -> lists:flatten(lists:join(" ", Parts)).
lines(Lines) -> [[Line, $\n] || Line <- Lines].
`;

/** Runs an Erlang script whose `main/1` gets the paths of files in the folder. */
function escript(main: string, ...files: string[]): void {
  const path = join(folder, "script");
  writeFileSync(
    path,
    `#!/usr/bin/env escript\n%% -*- coding: utf-8 -*-\n-compile(nowarn_unused_function).\n${main}\n${CANONICAL}`,
  );
  execFileSync("escript", [path, ...files.map((file) => join(folder, file))], { cwd: folder });
}

function lines(file: string): string[] {
  return readFileSync(join(folder, file), "utf8").split("\n").slice(0, -1);
}

const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.stringMatching(/^[\\"'^an\n 0-9x]*$/));

const { term } = fc.letrec<{ term: Term }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom("true", "false", "nil", "undefined").map(atom),
    fc.bigInt().map(integer),
    fc.uint8Array({ maxLength: 40 }).map(binary),
    text.map(binary),
    text.map((characters) => list(Array.from(characters, (one) => integer(one.codePointAt(0) ?? 0)))),
    fc.array(tie("term"), { maxLength: 4 }).map(list),
    fc.array(tie("term"), { maxLength: 4 }).map((items) => tuple(...items)),
    fc
      .uniqueArray(fc.tuple(tie("term"), tie("term")), { maxLength: 4, selector: ([key]) => writeTerm(key) })
      .map(map),
  ),
}));

describe.runIf(requireTool("escript"))("against erl", () => {
  const terms = fc.sample(term, { numRuns: 1_500, seed: 20_000_101 });

  it("writes what file:consult/1 reads, and reads what Erlang prints", { timeout: 60_000 }, () => {
    writeFileSync(join(folder, "ours"), writeTerms(terms));
    escript(
      `main([In, Read, Printed]) ->
        {ok, Terms} = file:consult(In),
        ok = file:write_file(Read, lines([c(T) || T <- Terms])),
        Texts = [unicode:characters_to_binary([io_lib_pretty:print(T, [{encoding, utf8}]), "."]) || T <- Terms],
        ok = file:write_file(Printed, lines([base64:encode(T) || T <- Texts])).`,
      ...["ours", "read", "printed"],
    );
    expect(lines("read")).toEqual(terms.map(canonical));
    const printed = lines("printed").map((line) => Buffer.from(line, "base64").toString());
    // Where a string ends in a backslash, or needs `\x{...}`, Hex clients misread what Erlang prints, and so
    // does this reader.
    const pairs = printed.flatMap((form, index) => {
      const written = terms[index];
      return written === undefined || /\\\\\^?"|\\x\{/.test(form) ? [] : [[form, canonical(written)]];
    });
    expect(pairs.length).toBeGreaterThan(0.9 * terms.length);
    expect(pairs.map(([form]) => [form, tryRead(form ?? "")])).toEqual(pairs);
  });
});

describe.runIf(requireTool("rebar3") && requireTool("escript"))("against a Hex client", () => {
  const pieces = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(..."\"\\^'.,{}[] \n1a-+é") },
    fc.constantFrom("<<", ">>", "=>", "#{", "/utf8", "true", "\\n", '\\"', "\\134", "\\\\", '"a"', "{1}."),
    fc.constantFrom('<<"a">>', '{<<"k">>,[1]}.', '"x\\\\"', "'true'", "'x'", "#", "$", "<", "\\^a", "0"),
  );

  const quoted = fc
    .array(fc.constantFrom(...'\\\\\\^^"n019xd \né', '\\"', "\\^a", "\\\\"), { maxLength: 6 })
    .map((parts) => `"${parts.join("")}"`);
  const strings = fc
    .array(fc.oneof(quoted, fc.constantFrom("<<104,", "<<", "/utf8>>", ">>", ",", "1", "true")), {
      maxLength: 5,
    })
    .map((parts) => ["[", ...parts, "]"]);

  it("accepts the same texts, with the same meaning", { timeout: 60_000 }, () => {
    const form = fc.oneof(
      fc.array(pieces, { maxLength: 12 }),
      strings,
      quoted.map((one) => [one]),
    );
    const forms = fc.sample(form, { numRuns: 6_000, seed: 20_000_101 });
    const texts = forms.flatMap((parts) => [parts.join(""), `${parts.join("")}.`]);
    writeFileSync(join(folder, "texts"), texts.map(base64Line).join(""));
    escript(
      String.raw`main([In, Out]) ->
        {ok, Sections} = escript:extract(os:find_executable("rebar3"), []),
        {ok, Files} = zip:unzip(proplists:get_value(archive, Sections), [memory]),
        [{module, r3_safe_erl_term} = code:load_binary(r3_safe_erl_term, N, B)
          || {N, B} <- Files, filename:basename(N) == "r3_safe_erl_term.beam"],
        {ok, Data} = file:read_file(In),
        Texts = [base64:decode(L) || L <- binary:split(Data, <<"\n">>, [global]), L =/= <<"">>],
        ok = file:write_file(Out, lines([try_read(unicode:characters_to_list(T)) || T <- Texts])).
      try_read(Text) ->
        try
          {ok, Tokens, _} = r3_safe_erl_term:string(Text),
          [] = [A || {atom, _, A} <- Tokens, not lists:member(A, [true, utf8])],
          forms(Tokens, [], [])
        of
          Terms -> j([c(T) || T <- Terms])
        catch _:_ -> "refused" end.
      forms([], [], Terms) -> lists:reverse(Terms);
      forms([{dot, _} = D | Rest], Form, Terms) ->
        {ok, Term} = erl_parse:parse_term(lists:reverse([D | Form])),
        forms(Rest, [], [Term | Terms]);
      forms([T | Rest], Form, Terms) -> forms(Rest, [T | Form], Terms).`,
      ...["texts", "out"],
    );
    const theirs = lines("out");
    expect(theirs.filter((line) => line !== "refused").length).toBeGreaterThan(1_000);
    expect(texts.map((one) => `${one} => ${tryRead(one)}`)).toEqual(
      texts.map((one, index) => `${one} => ${theirs[index]}`),
    );
  });
});

/** A line for each text, the empty one, too: white space means the same. */
function base64Line(one: string): string {
  return `${Buffer.from(` ${one}`).toString("base64")}\n`;
}

function tryRead(one: string): string {
  try {
    return readTerms(Buffer.from(one)).map(canonical).join(" ");
  } catch (error) {
    if (!(error instanceof TermError)) throw error;
    return "refused";
  }
}
