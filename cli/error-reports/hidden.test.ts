import { expect, it } from "vitest";
import { Secret } from "../../schemas/config/secret.ts";
import { hiding } from "./hidden.ts";

const hide = hiding({
  databaseUrl: new Secret("postgres://skep:pass%2Fword@db/skep"),
  deep: { token: new Secret("tok-en-value"), none: undefined, short: new Secret("abc") },
});

it.each<[text: string, shown: string]>([
  ["cannot reach postgres://skep:pass%2Fword@db/skep", "cannot reach [hidden]"],
  ["the word is pass/word, or pass%2Fword", "the word is [hidden], or [hidden]"],
  ["sent tok-en-value", "sent [hidden]"],
  ["a Secret of three letters stays: abc", "a Secret of three letters stays: abc"],
  ["fetch https://ann:word@host/path failed", "fetch https://[hidden]@host/path failed"],
  ["Authorization: Bearer abc.def-ghi", "Authorization: [hidden] [hidden]"],
  ["sent Basic YW5uOndvcmQ=", "sent Basic [hidden]"],
  ['{"password":"word","name":"ann"}', '{"password":"[hidden]","name":"ann"}'],
  ["?api_key=word&page=2", "?api_key=[hidden]&page=2"],
  ["jwt eyJhbGciOi.eyJzdWIi.c2ln end", "jwt [hidden] end"],
  ["key 0123456789abcdef0123456789abcdef end", "key [hidden] end"],
  ["Key (email)=(ann@acme.example) already exists", "Key (email)=([hidden]) already exists"],
  ["-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY----- end", "[hidden] end"],
  ["-----BEGIN RSA PRIVATE KEY-----\nMIIE", "[hidden]"],
  ["packages/foo was written by generation 7", "packages/foo was written by generation 7"],
])("%s", (text, shown) => {
  expect(hide(text)).toBe(shown);
});
