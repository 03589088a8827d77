import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, it } from "vitest";
import { privateKeyOfTests, testSigner } from "../test/support/signing.ts";
import { requireTool } from "../test/support/tools.ts";
import { isSpkiPem, publicKeyFingerprint, readPublicKey } from "./public-key.ts";

const spki = testSigner().publicKeyPem;
const pkcs1 = pemOf(createPublicKey(spki), "pkcs1");

function pemOf(key: KeyObject, type: "spki" | "pkcs1"): string {
  return key.export({ type, format: "pem" }).toString();
}

describe("a public key", () => {
  it("is read in both forms, of which one is for every client", () => {
    expect(readPublicKey(pkcs1).equals(readPublicKey(spki))).toBe(true);
    expect(isSpkiPem(spki)).toBe(true);
    expect(isSpkiPem(pkcs1)).toBe(false);
  });

  it.each([
    ["nothing", ""],
    ["text", "not found"],
    // Node makes the public key of these two by itself.
    ["a private key", privateKeyOfTests()],
    ["a private key behind a public one", spki + privateKeyOfTests()],
    ["two keys, which mix refuses", spki + pkcs1],
    ["a damaged key", spki.replace(/\nMII/, "\nMIJ")],
    ["a key of another kind", pemOf(generateKeyPairSync("ed25519").publicKey, "spki")],
    ["a key for PSS", pemOf(generateKeyPairSync("rsa-pss", { modulusLength: 1024 }).publicKey, "spki")],
  ])("is refused: %s", (_, pem) => {
    expect(() => readPublicKey(pem)).toThrow(expect.objectContaining({ code: "key_invalid" }));
  });

  it("is refused without a word of a private key", () => {
    const lines = privateKeyOfTests().split("\n").slice(1, -2);
    try {
      readPublicKey(privateKeyOfTests());
      expect.unreachable();
    } catch (error) {
      for (const line of lines) expect((error as Error).message).not.toContain(line);
    }
  });
});

/** What `mix hex.repo add --fetch-public-key` computes: the host key fingerprint of Erlang's ssh. */
const PROGRAM = `
lists:foreach(fun(Pem) ->
  [Entry] = public_key:pem_decode(base64:decode(Pem)),
  io:format("~s~n", [ssh:hostkey_fingerprint(sha256, public_key:pem_entry_decode(Entry))])
end, init:get_plain_arguments()), halt().`;

describe.runIf(requireTool("erl"))("the fingerprint", () => {
  it("is the one that Erlang gives, whatever the length and the form of the key", () => {
    const keys = [1024, 1031, 2048, 3072].map(
      (modulusLength) => generateKeyPairSync("rsa", { modulusLength }).publicKey,
    );
    const pems = [spki, pkcs1, ...keys.map((key) => pemOf(key, "spki"))];
    const encoded = pems.map((pem) => Buffer.from(pem).toString("base64"));
    const output = execFileSync("erl", ["-noshell", "-eval", PROGRAM, "-extra", ...encoded]);
    expect(pems.map(publicKeyFingerprint)).toEqual(output.toString().trim().split("\n"));
  });
});
