import { describe, expect, it } from "vitest";
import { localPath } from "./local-path.ts";

describe("where a sign-in may lead to", () => {
  it.each([
    "/",
    "/account",
    "/oauth/device?user_code=ABCD-EFGH",
    "/oauth/authorize?redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=a",
  ])("%s", (path) => expect(localPath(path)).toBe(path));

  it.each([
    undefined,
    null,
    "",
    "account",
    "//evil.example",
    "///evil.example",
    "https://evil.example",
    "javascript:alert(1)",
    "/\\evil.example",
    "\\/evil.example",
    "/\tevil",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r/evil.example",
    "/%2fevil.example",
    "/%2Fevil.example",
    "/%5cevil.example",
    "/%5Cevil.example",
    "/%09/evil.example",
    "/%0a/evil.example",
    " /account",
    "/é",
    "/?a=\\evil",
    `/${"a".repeat(3_000)}`,
  ])("not %j", (path) => expect(localPath(path)).toBeUndefined());
});
