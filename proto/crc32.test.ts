import { crc32 } from "node:zlib";
import fc from "fast-check";
import { expect, it } from "vitest";
import { combineCrc32, crcShift } from "./crc32.ts";

const combine = (first: Uint8Array, second: Uint8Array) =>
  combineCrc32(crc32(first), crc32(second), crcShift(second.length));

it("of two parts is that of both at once", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array({ maxLength: 5_000 }), (first, second) => {
      expect(combine(first, second)).toBe(crc32(Buffer.concat([first, second])));
    }),
  );
});

it.each([0, 1, 255, 32_768, 1 << 22])("holds behind %i bytes", (length) => {
  const first = Buffer.from("in front");
  const second = Buffer.alloc(length, 0xa5);
  expect(combine(first, second)).toBe(crc32(Buffer.concat([first, second])));
});

it("of many parts does not depend on how they are put together", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array()), (parts) => {
      const whole = parts.reduce((crc, part) => combineCrc32(crc, crc32(part), crcShift(part.length)), 0);
      expect(whole).toBe(crc32(Buffer.concat(parts)));
    }),
  );
});

it("goes on beyond 2^32 bytes", () => {
  // x has the order 2^32 - 1: so many bytes shift by nothing.
  expect(crcShift(2 ** 32 - 1)).toBe(crcShift(0));
  expect(crcShift(2 ** 32 + 4)).toBe(crcShift(5));
});
