import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { gzipMember } from "./build.ts";
import { checkDocs } from "./docs.ts";
import { TarballError } from "./errors.ts";
import { GzipError, inflateMember } from "./gzip.ts";

async function inflate(bytes: Uint8Array, maxBytes = 1_000_000): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    await inflateMember(Buffer.from(bytes), maxBytes, (chunk) => chunks.push(chunk));
    return Buffer.concat(chunks).toString("latin1");
  } catch (error) {
    if (!(error instanceof GzipError)) throw error;
    return error.code;
  }
}

/** A member with every optional part of a header. */
function withAllFields(text: string): Buffer {
  const plain = gzipMember(Buffer.from(text));
  const fields = Buffer.concat([
    Buffer.from([3, 0]),
    Buffer.from("ext"),
    Buffer.from("name\0comment\0"),
    Buffer.from([1, 2]),
  ]);
  const member = Buffer.concat([plain.subarray(0, 10), fields, plain.subarray(10)]);
  member[3] = 2 | 4 | 8 | 16;
  return member;
}

describe("inflateMember", () => {
  const hello = gzipMember(Buffer.from("hello"));

  it("inflates one member, whatever its header tells", async () => {
    expect(await inflate(hello)).toBe("hello");
    expect(await inflate(withAllFields("hello"))).toBe("hello");
    expect(await inflate(gzipMember(Buffer.alloc(0)))).toBe("");
  });

  it("inflates to the limit and no further", async () => {
    expect(await inflate(hello, 5)).toBe("hello");
    expect(await inflate(hello, 4)).toBe("too_big");
  });

  it("refuses every cut", async () => {
    for (const member of [hello, withAllFields("hello")]) {
      for (let length = 0; length < member.length; length += 1) {
        expect([length, await inflate(member.subarray(0, length))]).toEqual([
          length,
          length > 0 && length < 3 ? "not_gzip" : "truncated",
        ]);
      }
    }
  });

  it("refuses what comes after", async () => {
    expect(await inflate(Buffer.concat([hello, hello]))).toBe("members");
    expect(await inflate(Buffer.concat([hello, Buffer.alloc(1)]))).toBe("trailing");
  });

  it("refuses every damage to the data and their checksum", async () => {
    for (let at = 10; at < hello.length; at += 1) {
      for (const bit of [1, 2, 4, 8, 16, 32, 64, 128]) {
        const damaged = Buffer.from(hello);
        damaged[at] = (damaged[at] ?? 0) ^ bit;
        const said = await inflate(damaged);
        // The bits that fill up the last byte of the data mean nothing.
        if (at !== hello.length - 9) expect([at, bit, said]).not.toEqual([at, bit, "hello"]);
      }
    }
  });

  it("throws nothing but its own error", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), fc.nat(255), async (bytes, flags) => {
        await inflate(Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags]), bytes]));
      }),
    );
  });

  it("passes on what the taker of the chunks throws", async () => {
    const stop = new Error("stop");
    const taker = (): void => {
      throw stop;
    };
    await expect(inflateMember(hello, 5, taker)).rejects.toBe(stop);
  });
});

describe("checkDocs", () => {
  async function refusal(bytes: Uint8Array): Promise<string> {
    try {
      await checkDocs(bytes, { limits: { compressed: 1_000, uncompressed: 10_000 } });
      return "accepted";
    } catch (error) {
      if (!(error instanceof TarballError)) throw error;
      return `${error.code}: ${error.message}`;
    }
  }

  it("judges size and format only", async () => {
    expect(await refusal(gzipSync(Buffer.alloc(10_000)))).toBe("accepted");
    expect(await refusal(gzipSync(Buffer.alloc(10_001)))).toBe(
      "docs_too_big_uncompressed: too big (uncompressed)",
    );
    expect(await refusal(Buffer.alloc(1_001))).toBe("docs_too_big: too big");
    const member = gzipMember(Buffer.from("docs"));
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from("no gzip"),
      member.subarray(0, -1),
      Buffer.concat([member, member]),
      Buffer.concat([member, Buffer.from("x")]),
    ]) {
      expect(await refusal(bytes)).toBe("docs_gzip: invalid gzip");
    }
  });
});
