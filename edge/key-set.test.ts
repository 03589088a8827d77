/** The key set as another process serves it, over a real socket. */
import { createServer, type ServerResponse } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryName, trusted } from "../hex/ids.ts";
import { keyIdOf, keySetOf } from "../schemas/access-token/keys.ts";
import { MemoryStore } from "../store/objects/memory.ts";
import { TOKEN_KEYS } from "../test/support/api-settings.ts";
import { listenOnLoopback } from "../test/support/loopback.ts";
import { testSigner } from "../test/support/signing.ts";
import { fetchKeySet, storedPublicKey } from "./key-set.ts";

let answer: (response: ServerResponse) => void;
const server = createServer((_, response) => answer(response));
let url: string;
beforeAll(async () => {
  url = `http://127.0.0.1:${await listenOnLoopback(server)}/.well-known/jwks.json`;
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});

const ids = TOKEN_KEYS.publicKeys.map(keyIdOf);
const served = JSON.stringify(keySetOf(TOKEN_KEYS));

describe("a key set", () => {
  it.each([
    ["as the API serves it", served],
    [
      "with keys of other kinds beside ours",
      JSON.stringify({
        keys: [{ kty: "RSA", n: "AQAB", e: "AQAB" }, 1, null, ...keySetOf(TOKEN_KEYS).keys],
      }),
    ],
  ])("%s", async (_, text) => {
    answer = (response) => void response.end(text);
    expect((await fetchKeySet(url)).map(keyIdOf)).toEqual(ids);
  });

  it.each<[string, (response: ServerResponse) => void, string]>([
    ["that is missing", (response) => response.writeHead(404).end(served), "answers 404"],
    ["that is elsewhere", (response) => response.writeHead(302, { location: url }).end(), "fetch failed"],
    ["that is too large", (response) => response.end(`${served}${" ".repeat(70_000)}`), "more than 65536"],
    ["that is no JSON", (response) => response.end("<html>"), "it is not JSON"],
    ["that is no set", (response) => response.end("null"), "it has no list"],
    ["without a key of ours", (response) => response.end('{"keys":[{"kty":"EC"}]}'), "of the curve P-256"],
    [
      "with a point beside the curve",
      (response) => response.end(JSON.stringify({ keys: [{ kty: "EC", crv: "P-256", x: "AA", y: "AA" }] })),
      "of the curve P-256",
    ],
  ])("%s is refused", async (_, reply, message) => {
    answer = (response) => void reply(response);
    await expect(fetchKeySet(url)).rejects.toThrow(message);
  });
});

it("the registry's key is the one in the store", async () => {
  const store = new MemoryStore();
  const repository = { name: trusted(repositoryName, "local"), public: true };
  await expect(storedPublicKey(store, repository)).rejects.toThrow("no public_key yet");
  const { publicKeyPem } = testSigner();
  await store.put("public_key", Buffer.from(publicKeyPem), { precondition: { kind: "absent" } });
  const [key] = await storedPublicKey(store, repository);
  expect(key?.export({ type: "spki", format: "pem" })).toBe(publicKeyPem);
});
