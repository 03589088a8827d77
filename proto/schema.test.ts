import { describe, expect, it } from "vitest";
import { decodeNames, decodePackage } from "./registry.ts";
import { messageType } from "./schema.ts";

const Names = messageType("Names");

function malformed(decode: () => unknown): void {
  expect(decode).toThrow(expect.objectContaining({ code: "protobuf_malformed" }));
}

describe("a message", () => {
  it("may hold fields that nobody knows, which are dropped", () => {
    const known = Names.encode({ repository: "r", packages: [] });
    const unknown = Buffer.from("c23e0474657374", "hex"); // field 1000 as text, though it is a number
    expect(decodeNames(Buffer.concat([known, unknown]))).toEqual({ repository: "r", packages: [] });
  });

  it("is refused when an integer would be rounded", () => {
    for (const revision of [2 ** 53, 2 ** 63]) {
      malformed(() => decodeNames(Names.encode({ repository: "r", packages: [], revision })));
    }
    const updatedAt = { seconds: -(2 ** 60), nanos: 0 };
    malformed(() => decodeNames(Names.encode({ repository: "r", packages: [{ name: "n", updatedAt }] })));
  });

  it.each([
    ["text cut inside a character", "1202 c3"],
    ["a surrogate in UTF-8", "1203 eda080"],
    ["an overlong encoding", "1202 c0af"],
    ["long text with one bad byte", `1246 ${"61".repeat(69)}ff`],
    ["a required field of another wire type", "1001"],
    ["a field number of 0", "0001"],
    ["an end without its group", "1201720c"],
    ["groups in groups", "0b".repeat(100_000)],
    ["a varint without an end", `c03e ${"ff".repeat(11)}`],
    ["a time without its nanoseconds", "0a07 0a016e 1a02 0801 120172"],
    ["a submessage longer than its parent", "0a05 0a09 6e6e6e 120172"],
  ])("is refused with %s", (_, hex) => {
    malformed(() => decodeNames(Buffer.from(hex.replaceAll(" ", ""), "hex")));
  });

  it("is refused when a release has no version", () => {
    malformed(() => decodePackage(Buffer.from("0a02120012016e1a0172", "hex")));
  });
});
