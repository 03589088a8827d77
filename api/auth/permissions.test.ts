import { describe, expect, it } from "vitest";
import { keyPermits, scopePermits } from "./permissions.ts";
import type { Requirement } from "./principal.ts";

const READ: Requirement = { domain: "api", resource: "read" };
const WRITE: Requirement = { domain: "api", resource: "write" };
const PEAR: Requirement = { domain: "package", resource: "local/pear" };
const NEW: Requirement = { domain: "package", resource: null };
const ACME: Requirement = { domain: "repository", resource: "acme" };
const ALL: Requirement = { domain: "repositories" };
const DOCS: Requirement = { domain: "docs", resource: "acme" };
const REQUIREMENTS = { READ, WRITE, PEAR, NEW, ACME, ALL, DOCS };
type Name = keyof typeof REQUIREMENTS;

describe("4: a key's permission", () => {
  it.each<[domain: string, resource: string | null, satisfies: readonly Name[]]>([
    ["api", null, ["READ", "WRITE"]],
    ["api", "read", ["READ"]],
    ["api", "write", ["READ", "WRITE"]],
    ["package", null, ["READ", "PEAR", "NEW"]],
    ["package", "local/pear", ["READ", "PEAR"]],
    ["package", "local/plum", ["READ"]],
    ["repositories", null, ["ACME", "ALL"]],
    ["repository", "acme", ["ACME"]],
    ["repository", "other", []],
    ["docs", "acme", ["DOCS"]],
    ["unknown", null, []],
  ])("%s/%s", (domain, resource, satisfies) => {
    const found = Object.entries(REQUIREMENTS).filter(([, requirement]) =>
      keyPermits([{ domain, resource }], requirement),
    );
    expect(found.map(([name]) => name)).toEqual(satisfies);
  });
});

describe("4: a token's scope", () => {
  it.each<[scope: string, satisfies: readonly Name[]]>([
    ["api", ["READ", "WRITE", "PEAR", "NEW"]],
    ["api:read", ["READ"]],
    ["api:write", ["READ", "WRITE", "PEAR", "NEW"]],
    ["package:local/pear", ["PEAR"]],
    ["package", ["READ"]],
    ["repositories", ["ACME", "ALL"]],
    ["repository:acme", ["ACME"]],
    ["docs:acme", ["DOCS"]],
  ])("%s", (scope, satisfies) => {
    const found = Object.entries(REQUIREMENTS).filter(([, requirement]) =>
      scopePermits([scope], requirement),
    );
    expect(found.map(([name]) => name)).toEqual(satisfies);
  });
});
