import { crc32, deflateRawSync, gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gunzipOneMember, gzipOneMember } from "./gzip.ts";

const TEXT = Buffer.from("a registry file");
const LIMIT = 1 << 20;
const member = Buffer.from(gzipOneMember(TEXT));

/** The member with header fields that are allowed and that nobody writes. */
function withHeader(flags: number, fields: Buffer): Buffer {
  const header = Buffer.from(member.subarray(0, 10));
  header[3] = flags;
  return Buffer.concat([header, fields, member.subarray(10)]);
}

/** CRC-16 of a header with that flag alone. */
function headerCrc(): Buffer {
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(withHeader(2, Buffer.alloc(0)).subarray(0, 10)));
  return crc.subarray(0, 2);
}

describe("one gzip member", () => {
  it("has the same header everywhere: no time, no flags, OS Unix", () => {
    expect(member.subarray(0, 10).toString("hex")).toBe("1f8b0800000000000003");
    expect(gunzipSync(member)).toEqual(TEXT);
  });

  it("comes back as it was", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5_000 }), (bytes) => {
        expect(Buffer.from(gunzipOneMember(gzipOneMember(bytes), LIMIT)).equals(bytes)).toBe(true);
      }),
    );
  });

  it.each([
    ["an extra field", withHeader(4, Buffer.from([3, 0, 1, 2, 3]))],
    ["a name", withHeader(8, Buffer.from("name\0"))],
    ["a comment", withHeader(16, Buffer.from("comment\0"))],
    ["a checksum of its header", withHeader(2, headerCrc())],
    ["several deflate blocks", gzipSync(Buffer.alloc(300_000, "x"), { memLevel: 1 })],
  ])("is read with %s", (_, bytes) => {
    expect(gunzipOneMember(bytes, LIMIT).length).toBeGreaterThan(0);
  });

  it.each([
    ["a second member", Buffer.concat([member, member]), "gzip_trailing"],
    ["zeros behind it", Buffer.concat([member, Buffer.alloc(1)]), "gzip_trailing"],
    ["a bomb", gzipSync(Buffer.alloc(LIMIT + 1)), "gzip_too_large"],
    ["nothing", Buffer.alloc(0), "gzip_malformed"],
    ["raw deflate", deflateRawSync(TEXT), "gzip_malformed"],
    ["a name without an end", withHeader(8, Buffer.alloc(0)).subarray(0, 12), "gzip_malformed"],
    ["a wrong checksum of its header", withHeader(2, Buffer.from([1, 2])), "gzip_malformed"],
    ["reserved flags", withHeader(0x20, Buffer.alloc(0)), "gzip_malformed"],
  ])("is refused with %s", (_, bytes, code) => {
    expect(() => gunzipOneMember(bytes, LIMIT)).toThrow(expect.objectContaining({ code }));
  });

  it("is refused when it is cut anywhere, or any byte of data, checksum or length is another", () => {
    for (let length = 0; length < member.length; length++) {
      expect(() => gunzipOneMember(member.subarray(0, length), LIMIT), `cut at ${length}`).toThrow();
    }
    for (let at = 10; at < member.length; at++) {
      const damaged = Buffer.from(member);
      damaged[at] = (damaged[at] ?? 0) ^ 0xff;
      expect(() => gunzipOneMember(damaged, LIMIT), `byte ${at}`).toThrow();
    }
  });
});
