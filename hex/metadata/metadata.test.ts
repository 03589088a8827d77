import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeMetadata, type MetadataInput } from "./encode.ts";
import { MetadataError } from "./errors.ts";
import { type PackageMetadata, readMetadata } from "./metadata.ts";
import { isJson, UNREPRESENTABLE } from "./value.ts";

const read = (text: string): PackageMetadata => readMetadata(Buffer.from(text));

function refusal(text: string): string {
  try {
    return `accepted: ${JSON.stringify(read(text))}`;
  } catch (error) {
    if (!(error instanceof MetadataError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

// As `mix hex.build` and `rebar3 hex build` write it, line breaks included.
const WRITTEN_BY_A_CLIENT = `{<<"app">>,<<"jason">>}.
{<<"build_tools">>,[<<"mix">>]}.
{<<"description">>,
 <<"A blazing fast JSON parser.">>}.
{<<"elixir">>,<<"~> 1.4">>}.
{<<"files">>,
 [<<"lib">>,<<"lib/codegen.ex">>,
  <<"mix.exs">>]}.
{<<"licenses">>,[<<"Apache-2.0">>]}.
{<<"links">>,[{<<"GitHub">>,<<"https://github.com/michalmuskala/jason">>}]}.
{<<"maintainers">>,
 [<<77,105,99,104,97,197,130>>]}.
{<<"name">>,<<"jason">>}.
{<<"requirements">>,
 [[{<<"app">>,<<"decimal">>},
   {<<"name">>,<<"decimal">>},
   {<<"optional">>,true},
   {<<"repository">>,<<"hexpm">>},
   {<<"requirement">>,<<"~> 1.0">>}]]}.
{<<"version">>,<<"1.0.0">>}.
`;

describe("readMetadata", () => {
  it("reads what clients write", () => {
    expect(read(WRITTEN_BY_A_CLIENT)).toEqual({
      name: "jason",
      version: "1.0.0",
      app: "jason",
      description: "A blazing fast JSON parser.",
      licenses: ["Apache-2.0"],
      links: { GitHub: "https://github.com/michalmuskala/jason" },
      maintainers: ["Michał"],
      files: ["lib", "lib/codegen.ex", "mix.exs"],
      buildTools: ["mix"],
      elixir: "~> 1.4",
      requirements: [
        { name: "decimal", app: "decimal", optional: true, repository: "hexpm", requirement: "~> 1.0" },
      ],
    });
  });

  const dep = { name: "a", app: "b", requirement: "~> 1.0" };
  const fields = '{<<"app">>,<<"b">>},{<<"requirement">>,<<"~> 1.0">>}';
  const requirements: [encoding: string, value: string, read: unknown][] = [
    ["pairs", `[{<<"a">>,[${fields}]}]`, [dep]],
    ["lists with a name", `[[{<<"name">>,<<"a">>},${fields}]]`, [dep]],
    ["a map of maps", '#{<<"a">> => #{<<"app">> => <<"b">>,<<"requirement">> => <<"~> 1.0">>}}', [dep]],
    ["pairs with maps", '[{<<"a">>,#{<<"app">> => <<"b">>,<<"requirement">> => <<"~> 1.0">>}}]', [dep]],
    ["a list of maps", '[#{<<"name">> => <<"a">>,<<"requirement">> => 1}]', [{ name: "a", requirement: 1 }]],
    ["none", "[]", []],
    ["an empty map", "#{}", []],
    ["one without fields", '[{<<"a">>,[]}]', [{ name: "a" }]],
    ["null and unknown fields", '[{<<"a">>,[{<<"app">>,nil},{<<"x">>,1}]}]', [{ name: "a", app: null }]],
    ["a name twice", '[{<<"a">>,[]},{<<"a">>,[{<<"app">>,1}]}]', [{ name: "a", app: 1 }]],
    ["the names of properties", '[{<<"__proto__">>,[]}]', [{ name: "__proto__" }]],
    ["lists without a name", `[[${fields}]]`, "malformed"],
    ["a name that is no text", '[[{<<"name">>,1}]]', "malformed"],
    ["a key that is no text", "[{1,[]}]", "malformed"],
    ["a list of lists", "[[1]]", "malformed"],
    ["a version as the value", '[{<<"a">>,<<"~> 1.0">>}]', "malformed"],
    ["pairs and lists mixed", `[{<<"a">>,[]},[{<<"name">>,<<"b">>}]]`, "malformed"],
    ["text", '<<"a">>', "malformed"],
    ["null", "undefined", "malformed"],
  ];

  it.each(requirements)("reads requirements as %s", (_encoding, value, expected) => {
    expect(read(`{<<"requirements">>,${value}}.`)).toEqual({ requirements: expected });
  });

  const values: [text: string, read: PackageMetadata][] = [
    ['{<<"name">>,<<"a">>}.{<<"name">>,<<"b">>}.', { name: "b" }],
    ['{<<"unknown">>,{1,2}}.', {}],
    ['{<<"links">>,[{<<"a">>,<<"b">>},{<<"a">>,<<"c">>}]}.', { links: { a: "c" } }],
    ['{<<"links">>,#{<<"a">> => <<"b">>}}.', { links: { a: "b" } }],
    ['{<<"links">>,[]}.', { links: {} }],
    ['{<<"links">>,[<<"a">>]}.', { links: ["a"] }],
    ['{<<"links">>,[{1,<<"a">>}]}.', { links: [UNREPRESENTABLE] }],
    [
      '{<<"extra">>,[{<<"a">>,[{<<"b">>,[1,true]}]},{<<"c">>,[]}]}.',
      { extra: { a: { b: [1, true] }, c: {} } },
    ],
    ['{<<"extra">>,[{<<"a">>,[[{<<"b">>,1}]]}]}.', { extra: { a: [{ b: 1 }] } }],
    ['{<<"extra">>,<<"text">>}.', { extra: "text" }],
    ['{<<"description">>,undefined}.{<<"elixir">>,nil}.', { description: null, elixir: null }],
    ['{<<"description">>,"charlist"}.', { description: Array.from(Buffer.from("charlist")) }],
    ['{<<"description">>,[{<<"a">>,1}]}.', { description: [UNREPRESENTABLE] }],
    ['{<<"description">>,<<233>>}.', { description: "é" }],
    ['{<<"version">>,9007199254740993}.', { version: UNREPRESENTABLE }],
    ['{<<"version">>,#{1 => 2}}.', { version: UNREPRESENTABLE }],
    ['{<<"version">>,utf8}.', { version: UNREPRESENTABLE }],
    ['{<<"licenses">>,{<<"MIT">>}}.', { licenses: UNREPRESENTABLE }],
    ['{<<"build_tools">>,[]}.{<<"files">>,[<<"mix.exs">>]}.', { buildTools: [], files: ["mix.exs"] }],
    ['{<<"build_tools">>,<<"mix">>}.', { buildTools: "mix" }],
    ['{<<"files">>,<<"mix.exs">>}.', { files: "mix.exs" }],
  ];

  it.each(values)("reads %s", (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it("guesses build tools from the files at the top", () => {
    const files = ["rebar", "Makefile", "mix.exs", "Makefile.win", "c_src/Makefile", "rebar.config", 1];
    expect(readMetadata(encodeMetadata({ files })).buildTools).toEqual(["make", "mix", "rebar3"]);
    expect(readMetadata(encodeMetadata({ files: ["lib/a.ex"] })).buildTools).toEqual([]);
    expect(readMetadata(encodeMetadata({ name: "a" })).buildTools).toBeUndefined();
  });

  const refused: [text: string, refusal: string][] = [
    ["", "invalid_terms: invalid terms"],
    [" \n", "invalid_terms: invalid terms"],
    ['{<<"name">>', "invalid_terms: invalid terms"],
    ["true.", "not_key_value: not in key-value format"],
    ["[].", "not_key_value: not in key-value format"],
    ["{name,1}.", "invalid_terms: illegal atom name"],
    ["{true,1}.", "not_key_value: not in key-value format"],
    ['{"name",1}.', "not_key_value: not in key-value format"],
    ['{<<"name">>,1,2}.', "not_key_value: not in key-value format"],
    ['{<<"name">>,<<"a\\000">>}.', "nul_character: a text contains a NUL character"],
    ['{<<"extra">>,[{<<0>>,1}]}.', "nul_character: a text contains a NUL character"],
  ];

  it.each(refused)("refuses %j", (text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  it("keeps the error of the terms as the cause", () => {
    expect(() => read("asdf.")).toThrow(expect.objectContaining({ cause: expect.any(Error) }));
  });

  const text = fc.string().filter((characters) => !characters.includes("\0"));
  const { json } = fc.letrec<{ json: MetadataInput }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom<MetadataInput[]>(null, true, false),
      fc.maxSafeInteger(),
      text,
      // Of an empty list nobody can tell whether it was an object.
      fc.array(tie("json"), { maxLength: 3, minLength: 1 }),
      fc.dictionary(text, tie("json"), { maxKeys: 3, noNullPrototype: true }),
    ),
  }));

  it("reads what the builder writes", () => {
    fc.assert(
      fc.property(text, fc.dictionary(text, json, { noNullPrototype: true }), (name, extra) => {
        const metadata = readMetadata(encodeMetadata({ name, extra }));
        expect(metadata).toEqual({ name, extra });
        expect(isJson(metadata.extra ?? null)).toBe(true);
      }),
    );
  });
});
