import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TermError } from "./errors.ts";
import { readTerms } from "./reader.ts";
import { atom, binary, integer, list, map, type Term, tuple } from "./term.ts";
import { writeTerm, writeTerms } from "./writer.ts";

const read = (text: string | Uint8Array): Term[] => readTerms(Buffer.from(text));

/** Compares by the text that the writer gives, so that bytes may come from any kind of buffer. */
function shown(terms: readonly Term[]): string[] {
  return terms.map(writeTerm);
}

function refusal(text: string | Uint8Array): string {
  try {
    return `accepted: ${shown(read(text))}`;
  } catch (error) {
    if (!(error instanceof TermError)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

describe("readTerms", () => {
  const accepted: [text: string, terms: Term[]][] = [
    ["", []],
    [" \n\t\0", []],
    ["true. false.nil . undefined.", [atom("true"), atom("false"), atom("nil"), atom("undefined")]],
    ["'true'.", [atom("true")]],
    ["0. 12. -3. +4. - 5. 007.", [0, 12, -3, 4, -5, 7].map((value) => integer(value))],
    ["123456789012345678901234567890.", [integer(123456789012345678901234567890n)]],
    ['<<"abc">>. <<>>. <<"">>.', [binary("abc"), binary(""), binary("")]],
    ['<<"zażółć"/utf8>>.', [binary("zażółć")]],
    ['<<"é">>. <<"ł">>.', [binary(Uint8Array.of(0xe9)), binary(Uint8Array.of(0x42))]],
    ['<<"😀"/utf8,"x">>.', [binary("😀x")]],
    ["<<104,105>>. <<-1>>. <<+300>>.", [binary("hi"), binary(Uint8Array.of(255)), binary(Uint8Array.of(44))]],
    ["<<322/utf8>>. <<97/utf8-big>>.", [binary("ł"), binary("a")]],
    ["<<1/integer-signed-little>>.", [binary(Uint8Array.of(1))]],
    ['<<"a" "b", 99>>.', [binary("abc")]],
    ["[]. [1,[2]].", [list([]), list([integer(1), list([integer(2)])])]],
    ["{}. {1,true}.", [tuple(), tuple(integer(1), atom("true"))]],
    ['"". "ab". "a" "b".', [list([]), list([integer(97), integer(98)]), list([integer(97), integer(98)])]],
    ["#{}. #{1 => 2}.", [map([]), map([[integer(1), integer(2)]])]],
    ["#{1 => 2, 1 => 3}.", [map([[integer(1), integer(3)]])]],
  ];

  it.each(accepted)("reads %s", (text, terms) => {
    expect(shown(read(text))).toEqual(shown(terms));
  });

  const escapes: [text: string, means: string][] = [
    [String.raw`\n\r\t\v\b\f\e\s\d`, "\n\r\t\v\b\f\u001b \u007f"],
    [String.raw`\101\000`, "A\0"],
    [String.raw`\^a\^A`, "\u0001\u0001"],
    [String.raw`\"\'\\ `, "\"'\\ "],
    // Erlang's own scanner would read these as one character each; Hex clients do not.
    [String.raw`\0a\12b\x41`, "0a12bx41"],
    ["a\\\nb\\ c", "abc"],
  ];

  it.each(escapes)("reads the escapes %s", (text, means) => {
    expect(shown(read(`<<"${text}"/utf8>>.`))).toEqual(shown([binary(means)]));
  });

  const refused: [text: string, refusal: string][] = [
    ["1", "invalid_terms: invalid terms"],
    ["true[", "invalid_terms: invalid terms"],
    [".", "invalid_terms: invalid terms"],
    ["1 2.", "invalid_terms: invalid terms"],
    ["[1,].", "invalid_terms: invalid terms"],
    ["[1}.", "invalid_terms: invalid terms"],
    ["{1 2}.", "invalid_terms: invalid terms"],
    ["- -1.", "invalid_terms: invalid terms"],
    ["-true.", "invalid_terms: invalid terms"],
    ["1.5.", "accepted: 1,5"],
    ["[1.5].", "invalid_terms: invalid terms"],
    ["<<1,>>.", "invalid_terms: invalid terms"],
    ["<<true>>.", "invalid_terms: invalid terms"],
    ["<< <<1>> >>.", "invalid_terms: invalid terms"],
    ["<<55296/utf8>>.", "invalid_terms: invalid terms"],
    ["<<1114112/utf8>>.", "invalid_terms: invalid terms"],
    ["<<1/true>>.", "invalid_terms: invalid terms"],
    ["<<1/utf8-integer>>.", "invalid_terms: invalid terms"],
    ["#{1,2}.", "invalid_terms: invalid terms"],
    ["#true{}.", "invalid_terms: invalid terms"],
    ["asdf.", "illegal_atom: illegal atom asdf"],
    ["'Elixir.Kernel'.", 'illegal_atom: illegal atom "Elixir.Kernel"'],
    ["16#ff.", "invalid_terms: invalid terms"],
    ["$a.", 'illegal_characters: illegal characters "$a."'],
    ["% comment\n1.", 'illegal_characters: illegal characters "% comment\\n1."'],
    ["Variable.", 'illegal_characters: illegal characters "Variable."'],
    ["[1|2].", 'illegal_characters: illegal characters "|2]."'],
    ["<<1:8>>.", 'illegal_characters: illegal characters ":8>>."'],
    ['"abc', 'illegal_characters: illegal characters "\\"abc"'],
    ['"abc\\".', 'illegal_characters: illegal characters "\\"abc\\\\\\"."'],
    ["\ufeff1.", 'illegal_characters: illegal characters "\ufeff1."'],
    [`${"9".repeat(1_001)}.`, "too_many: an integer has too many digits"],
    [`${"[".repeat(65)}${"]".repeat(65)}.`, "too_deep: terms nest too deep"],
    [`[${"1,".repeat(131_072)}1].`, "too_many: too many terms"],
    [`"${"a".repeat(131_072)}".`, "too_many: too many terms"],
  ];

  it.each(refused)("refuses %s", (text, expected) => {
    expect(refusal(text)).toBe(expected);
  });

  // Two strings to Erlang, one string and then nonsense to the scanner of Hex clients: an attacker could
  // show this server another package than the one that clients see.
  it("ends a string where Hex clients do", () => {
    expect(refusal(String.raw`{<<"a\\">>, <<"b">>}.`)).toMatch(/^illegal_/);
    expect(refusal(String.raw`"a\^" , "b".`)).toMatch(/^illegal_/);
    expect(shown(read(String.raw`<<"a\\">>.`))).toEqual(shown([binary("a\\")]));
  });

  it("reads Latin-1 where it is no UTF-8", () => {
    expect(shown(read(Buffer.from('<<"é"/utf8>>.', "latin1")))).toEqual(shown([binary("é")]));
    expect(shown(read(Buffer.from('<<"é">>.', "latin1")))).toEqual(shown([binary(Uint8Array.of(0xe9))]));
  });

  it("reads a megabyte that nests and repeats in bounded time", () => {
    for (const text of ['"\\', "<<", "[", "'\\''", "{-", "#{", '"" ', "1."]) {
      expect(refusal(text.repeat(2 ** 20 / text.length))).toMatch(/^(illegal|invalid|too)_/);
    }
  });

  it("does not write large keys of maps again and again", () => {
    const large = `[${"1,".repeat(100_000)}1]`;
    expect(refusal(`${"#{".repeat(60)}${large}${"=>1,1=>1}".repeat(60)}.`)).toBe("too_many: too many terms");
  });

  it("throws nothing but its own error", () => {
    const pieces = fc.constantFrom(..."\"\\^'<>{}[]#=,+-/. \n019aé😀", "<<", ">>", "=>", "true", "/utf8");
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        refusal(parts.join(""));
      }),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void refusal(bytes)));
  });
});

describe("writeTerms", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[\\"'^a\n]*$/));
  const { term } = fc.letrec<{ term: Term }>((tie) => ({
    term: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      fc.constantFrom("true", "false", "nil", "undefined").map(atom),
      fc.bigInt().map(integer),
      fc.uint8Array().map(binary),
      text.map(binary),
      fc.array(tie("term"), { maxLength: 4 }).map(list),
      fc.array(tie("term"), { maxLength: 4 }).map((items) => tuple(...items)),
      fc
        .uniqueArray(fc.tuple(tie("term"), tie("term")), {
          maxLength: 4,
          selector: ([key]) => writeTerm(key),
        })
        .map(map),
    ),
  }));

  it("writes what readTerms reads", () => {
    fc.assert(
      fc.property(fc.array(term, { maxLength: 4 }), (terms) => {
        expect(shown(readTerms(writeTerms(terms)))).toEqual(shown(terms));
      }),
      { numRuns: 300 },
    );
  });

  it("writes text as text and other bytes as numbers", () => {
    expect(writeTerm(binary('say "é" \\'))).toBe('<<"say \\"é\\" \\134"/utf8>>');
    expect(writeTerm(binary(Uint8Array.of(1, 2, 255)))).toBe("<<1,2,255>>");
  });
});
