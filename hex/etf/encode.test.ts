import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeTerm } from "./decode.ts";
import { encodeTerm, TermFloat } from "./encode.ts";
import { EtfError, type EtfErrorCode } from "./errors.ts";

function hex(value: unknown): string {
  return Buffer.from(encodeTerm(value)).toString("hex");
}

function codeOf(value: unknown): EtfErrorCode | "accepted" {
  try {
    encodeTerm(value);
    return "accepted";
  } catch (error) {
    if (error instanceof EtfError) return error.code;
    throw error;
  }
}

describe("1.2, appendix B: encodeTerm", () => {
  it.each<[unknown, string]>([
    [
      { message: "Page not found", status: 404 },
      "8374000000026d000000076d6573736167656d0000000e50616765206e6f7420666f756e646d00000006737461747573" +
        "6200000194",
    ],
    [true, "83770474727565"],
    [false, "83770566616c7365"],
    [null, "8377036e696c"],
    ["", "836d00000000"],
    ["é", "836d00000002c3a9"],
    ["true", "836d0000000474727565"],
    [[], "836a"],
    [[1, 2], "836c00000002610161026a"],
    [{}, "837400000000"],
    [{ a: undefined, b: 1 }, "8374000000016d00000001626101"],
    [0, "836100"],
    [-0, "836100"],
    [255, "8361ff"],
    [256, "836200000100"],
    [-1, "8362ffffffff"],
    [2 ** 31 - 1, "83627fffffff"],
    [-(2 ** 31), "836280000000"],
    [2 ** 31, "836e040000000080"],
    [-(2 ** 31) - 1, "836e040101000080"],
    [2 ** 53 - 1, "836e0700ffffffffffff1f"],
    [2 ** 53, "83464340000000000000"],
    [0.5, "83463fe0000000000000"],
    [new TermFloat(1), "83463ff0000000000000"],
    [1n, "836101"],
    [2n ** 64n, "836e0900000000000000000001"],
    [2n ** 2040n, `836f0000010000${"00".repeat(255)}01`],
    [2n ** 2040n - 1n, `836eff00${"ff".repeat(255)}`],
  ])("writes case %#", (value, bytes) => {
    expect(hex(value)).toBe(bytes);
  });

  it.each<[string, unknown]>([
    ["undefined", undefined],
    ["undefined in a list", [undefined]],
    ["a hole in a list", new Array(1)],
    ["a function", () => 1],
    ["a symbol", Symbol("a")],
    ["a Date", new Date(0)],
    ["a Map", new Map()],
    ["bytes", Buffer.from("a")],
    ["NaN", Number.NaN],
    ["infinity", [Number.POSITIVE_INFINITY]],
    ["a float that is not finite", new TermFloat(Number.NaN)],
  ])("refuses %s", (_, value) => {
    expect(codeOf(value)).toBe("unencodable");
  });

  it("refuses a value that holds itself", () => {
    const value: unknown[] = [];
    value.push(value);
    expect(codeOf(value)).toBe("too_deep");
  });

  it("writes a lone surrogate as the replacement character", () => {
    expect(decodeTerm(encodeTerm("\ud800"))).toBe("\ufffd");
  });

  it("never compresses, whatever the size", () => {
    expect(encodeTerm("a".repeat(100_000)).subarray(0, 2)).toEqual(Buffer.from([131, 109]));
  });
});

describe("round trip", () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, false),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0),
      fc.bigInt().filter((integer) => !Number.isSafeInteger(Number(integer))),
      fc.string({ unit: "binary" }),
      fc.array(tie("value"), { maxLength: 5 }),
      fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "1")), tie("value"), {
        maxKeys: 5,
        noNullPrototype: false,
      }),
    ),
  })).value;

  it("gives back what was written", () => {
    fc.assert(
      fc.property(value, (written) => {
        expect(decodeTerm(encodeTerm(written))).toEqual(written);
      }),
      { numRuns: 500 },
    );
  });

  it("meets any damage with its own error", () => {
    const damaged = fc
      .tuple(value, fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat({ max: 3 }))
      .map(([written, at, byte, cut]) => {
        const bytes = Buffer.from(encodeTerm(written));
        bytes[1 + (at % (bytes.length - 1))] = byte;
        return bytes.subarray(0, bytes.length - cut);
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (bytes) => {
        try {
          decodeTerm(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(EtfError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
