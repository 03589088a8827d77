import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packageName } from "./ids.ts";
import { normalizeUsername, packageNameProblem, usernameProblem } from "./names.ts";

const FORMAT = "has invalid format";
const RESERVED = "is reserved";
const BLANK = "can't be blank";

describe("8.3: packageNameProblem", () => {
  it.each([
    ["ab", undefined],
    ["phoenix_html", undefined],
    ["a1", undefined],
    ["a_", undefined],
    ["com10", undefined],
    ["com0", undefined],
    ["mixer", undefined],
    ["a".repeat(128), undefined],
    ["", BLANK],
    [" ", BLANK],
    ["\n", BLANK],
    ["a", "should be at least 2 character(s)"],
    ["a".repeat(129), "should be at most 128 character(s)"],
    ["A", FORMAT],
    ["Ab", FORMAT],
    ["_ab", FORMAT],
    ["1ab", FORMAT],
    ["a-b", FORMAT],
    ["a.b", FORMAT],
    ["a b", FORMAT],
    ["ab\n", FORMAT],
    ["\nab", FORMAT],
    ["ab\nab", FORMAT],
    ["ab\0", FORMAT],
    ["a/b", FORMAT],
    ["..", FORMAT],
    ["../ab", FORMAT],
    ["é", FORMAT],
    ["аb", FORMAT],
    ["a%2fb", FORMAT],
    ["ELIXIR", FORMAT],
    ["elixir\n", FORMAT],
    ["elixir", RESERVED],
    ["et", RESERVED],
    ["public_key", RESERVED],
    ["assets", RESERVED],
    ["nul", RESERVED],
  ])("says of %j %s", (name, message) => {
    expect(packageNameProblem(name)).toBe(message);
  });

  it.each([
    "eex elixir elixirc ex_unit iex logger mix",
    "erlang typer to_erl run_erl escript erlc erl epmd dialyzer ct_run rebar rebar3 hex hexpm mix_hex",
    "otp asn1 common_test compiler crypto debugger dialyzer diameter edoc eldap erl_docgen erl_interface",
    "erts et eunit ftp hipe inets jinterface kernel megaco mnesia observer odbc os_mon parsetools",
    "public_key reltool runtime_tools sasl snmp ssh ssl stdlib syntax_tools toolbar tools typer wx xmerl",
    "tftp httpc httpd net http net_http gen_http nul con prn aux",
    ...["com", "lpt"].map((device) => Array.from("123456789", (digit) => device + digit).join(" ")),
    "package organization www myapp lock locked all assets api docs preview search staging stats static",
  ])("reserves %s", (names) => {
    for (const name of names.split(" ")) expect([name, packageNameProblem(name)]).toEqual([name, RESERVED]);
  });

  it("lets through nothing that is no package name", () => {
    const text = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[a-z_0-9.\-\n]{0,5}$/));
    fc.assert(
      fc.property(text, (name) => packageNameProblem(name) !== undefined || packageName(name) !== undefined),
    );
  });
});

describe("3.6: usernameProblem", () => {
  it.each<readonly [string, string | undefined]>([
    ["abc", undefined],
    ["a.b-c_1", undefined],
    ["123", undefined],
    ["a".repeat(128), undefined],
    ["", BLANK],
    ["\t", BLANK],
    ["ab", "should be at least 3 character(s)"],
    ["a".repeat(129), "should be at most 128 character(s)"],
    ["A", FORMAT],
    ["Abc", FORMAT],
    ["a b", FORMAT],
    ["abc\n", FORMAT],
    ["a/b", FORMAT],
    ["a@b.c", FORMAT],
    ["éab", FORMAT],
    ...["me", "hex", "hexpm", "elixir", "erlang", "otp"].map((name) => [name, RESERVED] as const),
  ])("says of %j %s", (name, message) => {
    expect(usernameProblem(name)).toBe(message);
  });

  it("compares in lower case", () => {
    expect(normalizeUsername("HexPM")).toBe("hexpm");
    // The Kelvin sign becomes the letter, so that it cannot stand beside it.
    expect(usernameProblem(normalizeUsername("\u212Aelly"))).toBeUndefined();
    expect(normalizeUsername("\u212Aelly")).toBe("kelly");
  });
});
