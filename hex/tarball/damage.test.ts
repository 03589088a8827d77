import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { packageTarball, verdict } from "../../test/support/package-builder.ts";

const ACCEPTED = "mix.exs lib/example.ex";

describe("a damaged tarball", () => {
  const tarball = packageTarball();

  it("is refused when any byte of it is another", async () => {
    const letters = tarball.indexOf("CHECKSUM") + 512;
    for (let at = 0; at < tarball.length; at += 1) {
      const bit = 1 << (at % 8);
      const damaged = Buffer.from(tarball);
      damaged[at] = (damaged[at] ?? 0) ^ bit;
      // These say the same: a letter of CHECKSUM in the other case, a blank around the digits of a number.
      const sameLetter = bit === 0x20 && at >= letters && at < letters + 64;
      const sameNumber = bit >= 0x10 && at % 512 >= 148 && at % 512 < 156;
      if (!sameLetter && !sameNumber) expect([at, await verdict(damaged)]).not.toEqual([at, ACCEPTED]);
    }
  });

  it("is refused when it is cut anywhere", async () => {
    for (let length = 0; length < tarball.length; length += 7) {
      expect(await verdict(tarball.subarray(0, length))).not.toBe(ACCEPTED);
    }
  });

  it("is refused with its own error, whatever it is", async () => {
    const bytes = fc.uint8Array({ maxLength: 2_000 });
    await fc.assert(
      fc.asyncProperty(bytes, fc.nat(tarball.length), bytes, async (start, at, end) => {
        await verdict(Buffer.concat([start, end]));
        await verdict(Buffer.concat([tarball.subarray(0, at), end]));
        await verdict(packageTarball({ metadataFile: start }));
        await verdict(
          packageTarball({ contents: (gzipped) => Buffer.concat([gzipped.subarray(0, at), end]) }),
        );
        await verdict(packageTarball({ innerEnd: end }));
      }),
    );
  });
});
