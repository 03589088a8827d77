import { describe, expect, it } from "vitest";
import { decodeTerm, type EtfLimits } from "./decode.ts";
import { EtfError, type EtfErrorCode } from "./errors.ts";
import { TAG } from "./tags.ts";

/** Bytes of a term from its parts: tags and numbers as bytes, texts as they are. */
function term(...parts: (number | string | readonly number[])[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(131), ...parts.map(bytesOf)]);
}

function bytesOf(part: number | string | readonly number[]): Uint8Array {
  if (typeof part === "string") return Buffer.from(part);
  return Uint8Array.from(typeof part === "number" ? [part] : part);
}

function binary(text: string): readonly number[] {
  return [TAG.BINARY, ...u32(Buffer.byteLength(text)), ...Buffer.from(text)];
}

function u32(value: number): readonly number[] {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return [...bytes];
}

function float(value: number): readonly number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return [TAG.NEW_FLOAT, ...bytes];
}

function floatText(text: string): readonly number[] {
  return [TAG.FLOAT, ...Buffer.from(text.padEnd(31, "\0"))];
}

function codeOf(bytes: Uint8Array, limits?: EtfLimits): EtfErrorCode | "accepted" {
  try {
    decodeTerm(bytes, limits);
    return "accepted";
  } catch (error) {
    if (error instanceof EtfError) return error.code;
    throw error;
  }
}

describe("appendix B: what clients send", () => {
  it.each([
    [
      "8374000000026d000000056c6576656c6d0000000466756c6c6d000000087472616e7366657264000566616c7365",
      { level: "full", transfer: false },
    ],
    [
      "8374000000026d000000046e616d656d000000016b6d0000000b7065726d697373696f6e736c0000000174000000026d" +
        "00000006646f6d61696e6d000000036170696d000000087265736f757263656d000000006a",
      { name: "k", permissions: [{ domain: "api", resource: "" }] },
    ],
    ["836b0003010203", [1, 2, 3]],
    [
      "8374000000026d000000076d6573736167656d0000000e50616765206e6f7420666f756e646d00000006737461747573" +
        "6200000194",
      { message: "Page not found", status: 404 },
    ],
  ])("reads %s", (hex, value) => {
    expect(decodeTerm(Buffer.from(hex, "hex"))).toEqual(value);
  });
});

describe("1.3: every form that has a meaning in JSON", () => {
  it.each([
    ["SMALL_INTEGER_EXT", term(TAG.SMALL_INTEGER, 255), 255],
    ["INTEGER_EXT", term(TAG.INTEGER, u32(2 ** 32 - 2)), -2],
    ["SMALL_BIG_EXT", term(TAG.SMALL_BIG, 2, 1, [1, 2]), -513],
    ["SMALL_BIG_EXT of no bytes", term(TAG.SMALL_BIG, 0, 0), 0],
    ["the largest exact integer", term(TAG.SMALL_BIG, 7, 0, [255, 255, 255, 255, 255, 255, 31]), 2 ** 53 - 1],
    ["one more", term(TAG.SMALL_BIG, 7, 0, [0, 0, 0, 0, 0, 0, 32]), 2n ** 53n],
    ["LARGE_BIG_EXT", term(TAG.LARGE_BIG, u32(1), 0, 7), 7],
    ["a long LARGE_BIG_EXT", term(TAG.LARGE_BIG, u32(300), 1, Array(300).fill(255)), 1n - 2n ** 2400n],
    ["NEW_FLOAT_EXT", term(float(-1.5)), -1.5],
    ["FLOAT_EXT", term(floatText("1.50000000000000000000e+00")), 1.5],
    ["ATOM_EXT", term(TAG.ATOM, 0, 4, "true"), true],
    ["ATOM_UTF8_EXT", term(TAG.ATOM_UTF8, 0, 3, "nil"), null],
    ["SMALL_ATOM_EXT", term(TAG.SMALL_ATOM, 5, "false"), false],
    ["SMALL_ATOM_UTF8_EXT", term(TAG.SMALL_ATOM_UTF8, 4, "true"), true],
    ["BINARY_EXT", term(binary("é😀")), "é😀"],
    ["BINARY_EXT with a byte order mark", term(binary("\uFEFFa")), "\uFEFFa"],
    ["NIL_EXT", term(TAG.NIL), []],
    ["STRING_EXT", term(TAG.STRING, 0, 3, "abc"), [97, 98, 99]],
    ["LIST_EXT", term(TAG.LIST, u32(1), TAG.NIL, TAG.NIL), [[]]],
    ["MAP_EXT", term(TAG.MAP, u32(1), binary("a"), TAG.NIL), { a: [] }],
    ["MAP_EXT without entries", term(TAG.MAP, u32(0)), {}],
    ["SMALL_TUPLE_EXT, as an array", term(TAG.SMALL_TUPLE, 2, binary("a"), TAG.NIL), ["a", []]],
    ["LARGE_TUPLE_EXT, as an array", term(TAG.LARGE_TUPLE, u32(1), binary("a")), ["a"]],
  ])("reads %s", (_, bytes, value) => {
    expect(decodeTerm(bytes)).toEqual(value);
  });

  it("reads a view into a larger buffer", () => {
    expect(decodeTerm(Buffer.concat([Buffer.from("xx"), term(binary("a"))]).subarray(2))).toBe("a");
  });
});

describe("prototype pollution", () => {
  it("makes __proto__ and constructor keys like any other", () => {
    const inner = [TAG.MAP, ...u32(1), ...binary("admin"), TAG.SMALL_ATOM_UTF8, 4, ...Buffer.from("true")];
    const value = decodeTerm(
      term(TAG.MAP, u32(2), binary("__proto__"), inner, binary("constructor"), TAG.NIL),
    );
    expect(Object.keys(value ?? {})).toEqual(["__proto__", "constructor"]);
    expect(Object.getPrototypeOf(value)).toBeNull();
    expect(Reflect.get({}, "admin")).toBeUndefined();
    expect(Reflect.get({ ...Object(value) }, "admin")).toBeUndefined();
  });

  it("gives objects nothing that was not sent", () => {
    const value = decodeTerm(term(TAG.MAP, u32(0)));
    expect(Reflect.get(Object(value), "toString")).toBeUndefined();
  });
});

describe("refusals", () => {
  it.each<[string, Uint8Array, EtfErrorCode]>([
    ["no bytes", new Uint8Array(), "not_a_term"],
    ["another version", Uint8Array.of(130, TAG.NIL), "not_a_term"],
    ["JSON", Buffer.from("{}"), "not_a_term"],
    ["a compressed term", term(TAG.COMPRESSED, u32(100), [120, 156]), "compressed"],
    ["compression alone", Uint8Array.of(131, 80), "compressed"],
    ["a compressed term inside", term(TAG.SMALL_TUPLE, 1, TAG.COMPRESSED, u32(1)), "unsupported"],
    ["a version byte inside", term(TAG.SMALL_TUPLE, 1, 131, TAG.NIL), "unsupported"],
    ["a version byte alone", term(), "truncated"],
    ["bytes after the term", term(TAG.NIL, 0), "trailing_bytes"],
    ["an unknown atom", term(TAG.SMALL_ATOM_UTF8, 2, "ok"), "unknown_atom"],
    ["the atom undefined", term(TAG.ATOM, 0, 9, "undefined"), "unknown_atom"],
    ["an atom in capitals", term(TAG.ATOM, 0, 4, "True"), "unknown_atom"],
    ["an empty atom", term(TAG.SMALL_ATOM_UTF8, 0), "unknown_atom"],
    ["an atom named like a property of objects", term(TAG.ATOM, 0, 11, "constructor"), "unknown_atom"],
    ["text in Latin-1", term(TAG.BINARY, u32(1), 233), "invalid_text"],
    ["a surrogate in UTF-8", term(TAG.BINARY, u32(3), [0xed, 0xa0, 0x80]), "invalid_text"],
    ["an overlong form", term(TAG.BINARY, u32(2), [0xc0, 0xaf]), "invalid_text"],
    ["a key in Latin-1", term(TAG.MAP, u32(1), [TAG.BINARY, 0, 0, 0, 1, 233], TAG.NIL), "invalid_text"],
    ["an atom as key", term(TAG.MAP, u32(1), TAG.ATOM, [0, 4], "true", TAG.NIL), "invalid_key"],
    ["a number as key", term(TAG.MAP, u32(1), [TAG.SMALL_INTEGER, 1, 0, 0, 0, 0], TAG.NIL), "invalid_key"],
    ["a key twice", term(TAG.MAP, u32(2), binary("a"), TAG.NIL, binary("a"), TAG.NIL), "duplicate_key"],
    ["a list's tail", term(TAG.LIST, u32(1), TAG.NIL, TAG.SMALL_INTEGER, 1), "improper_list"],
    ["a list as a list's tail", term(TAG.LIST, u32(1), TAG.NIL, TAG.STRING, [0, 1, 1]), "improper_list"],
    ["NaN", term(float(Number.NaN)), "invalid_number"],
    ["infinity", term(float(Number.NEGATIVE_INFINITY)), "invalid_number"],
    ["infinity as text", term(floatText("1.0e999")), "invalid_number"],
    ["a float that is none", term(floatText("inf")), "invalid_number"],
    ["a hexadecimal float", term(floatText("0x1.8p1")), "invalid_number"],
    ["a float in white space", term(floatText(" 1.5")), "invalid_number"],
    ["a float with text behind", term(floatText("1.5\0z")), "invalid_number"],
    ["a sign that is none", term(TAG.SMALL_BIG, 1, 2, 1), "invalid_number"],
    ["an integer of a megabyte", term(TAG.LARGE_BIG, u32(2 ** 20), Array(2 ** 20).fill(1)), "too_large"],
  ])("refuses %s", (_, bytes, code) => {
    expect(codeOf(bytes)).toBe(code);
  });

  const named: Readonly<Record<number, string>> = {
    68: "DIST_HEADER",
    77: "BIT_BINARY_EXT",
    82: "ATOM_CACHE_REF",
    88: "NEW_PID_EXT",
    89: "NEW_PORT_EXT",
    90: "NEWER_REFERENCE_EXT",
    101: "REFERENCE_EXT",
    102: "PORT_EXT",
    103: "PID_EXT",
    112: "NEW_FUN_EXT",
    113: "EXPORT_EXT",
    114: "NEW_REFERENCE_EXT",
    117: "FUN_EXT",
    120: "V4_PORT_EXT",
    121: "LOCAL_EXT",
  };
  const known = new Set<number>(Object.values(TAG));
  const refused = Array.from({ length: 256 }, (_, tag) => tag).filter((tag) => !known.has(tag));

  it.each(refused.map((tag) => [tag, named[tag] ?? "no tag"]))("refuses tag %i, %s", (tag) => {
    expect(codeOf(term(tag, Array(64).fill(0)))).toBe("unsupported");
    expect(codeOf(term(TAG.LIST, u32(1), tag, Array(64).fill(0)))).toBe("unsupported");
  });

  it("refuses every term that is cut short", () => {
    const whole = term(
      ...[TAG.MAP, u32(2), binary("a"), TAG.LIST, u32(2), binary("b"), float(1.5), TAG.NIL],
      ...[binary("c"), TAG.SMALL_TUPLE, 2, TAG.ATOM, [0, 4], "true", TAG.SMALL_BIG, 2, 1, [1, 2]],
    );
    expect(codeOf(whole)).toBe("accepted");
    for (let length = 1; length < whole.length; length++) {
      expect(codeOf(whole.subarray(0, length))).toBe("truncated");
    }
  });
});

describe("bounds", () => {
  function heldBytes(): number {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  }

  it.each([
    ["list", term(TAG.LIST, u32(2 ** 32 - 1))],
    ["list in a list that follows", term(TAG.LIST, u32(2 ** 31), TAG.NIL)],
    ["tuple", term(TAG.LARGE_TUPLE, u32(2 ** 32 - 1))],
    ["map", term(TAG.MAP, u32(2 ** 32 - 1), binary("a"), TAG.NIL)],
    ["binary", term(TAG.BINARY, u32(2 ** 32 - 1), "abc")],
    ["string", term(TAG.STRING, 255, 255, "abc")],
    ["atom", term(TAG.ATOM, 255, 255, "true")],
  ])("takes no memory for the length that a %s claims", (_, bytes) => {
    const before = heldBytes();
    for (let again = 0; again < 100; again++) expect(codeOf(bytes)).toBe("truncated");
    expect(heldBytes() - before).toBeLessThan(64 * 2 ** 20);
  });

  it("refuses an integer that claims to be of gigabytes", () => {
    expect(codeOf(term(TAG.LARGE_BIG, u32(2 ** 32 - 1), 0, 1))).toBe("too_large");
  });

  function lists(depth: number): Uint8Array {
    const opened = Array.from({ length: depth }, () => [TAG.LIST, ...u32(1)]).flat();
    return term(opened, TAG.NIL, Array(depth).fill(TAG.NIL));
  }

  it("reads 64 levels and refuses one more", () => {
    expect(codeOf(lists(64))).toBe("accepted");
    expect(codeOf(lists(65))).toBe("too_deep");
  });

  it.each([
    ["lists", [TAG.LIST, 0, 0, 0, 1]],
    ["tuples", [TAG.SMALL_TUPLE, 1]],
    ["maps", [TAG.MAP, 0, 0, 0, 1, ...binary("a")]],
  ])("does not overflow its stack on a megabyte of opened %s", (_, open) => {
    const bytes = Buffer.alloc(2 ** 20, Uint8Array.from(open));
    expect(codeOf(Buffer.concat([Uint8Array.of(131), bytes]))).toMatch(/^(too_deep|truncated)$/);
  });

  it("counts depth, not containers", () => {
    const siblings = Array(1_000)
      .fill([TAG.LIST, ...u32(1), TAG.NIL, TAG.NIL])
      .flat();
    expect(codeOf(term(TAG.LIST, u32(1_000), siblings, TAG.NIL))).toBe("accepted");
  });

  it.each([
    ["empty lists", term(TAG.LIST, u32(100_000), Array(100_001).fill(TAG.NIL))],
    [
      "small integers",
      term(
        TAG.LIST,
        u32(2),
        [TAG.STRING, 255, 255],
        "a".repeat(65_535),
        [TAG.STRING, 255, 255],
        "a".repeat(65_535),
        TAG.NIL,
      ),
    ],
  ])("refuses 100,000 and more %s", (_, bytes) => {
    expect(codeOf(bytes)).toBe("too_many");
  });

  it("takes other limits", () => {
    const limits = { maxDepth: 1, maxValues: 2, maxIntegerBytes: 1 };
    expect(codeOf(term(TAG.SMALL_TUPLE, 1, TAG.NIL), limits)).toBe("accepted");
    expect(codeOf(term(TAG.SMALL_TUPLE, 2, TAG.NIL, TAG.NIL), limits)).toBe("too_many");
    expect(codeOf(term(TAG.SMALL_TUPLE, 1, TAG.SMALL_TUPLE, 0), limits)).toBe("too_deep");
    expect(codeOf(term(TAG.SMALL_BIG, 2, 0, [1, 1]), limits)).toBe("too_large");
  });
});
