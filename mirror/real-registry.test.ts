/** A registry that somebody else's tool made. */
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { optionalData } from "../test/support/tools.ts";
import { directorySource } from "./source-directory.ts";
import { verifyRepository } from "./verify.ts";

const folder = fileURLToPath(new URL("../../shared/data/small-private-registry", import.meta.url));

describe.runIf(optionalData(folder))("a registry made by another tool", () => {
  it("has right signatures and checksums, and what gleam minds", async () => {
    const { findings, ...counts } = await verifyRepository(directorySource(folder));
    expect(findings.map(({ severity, key, check }) => `${severity} ${key} ${check}`)).toEqual([
      "warning packages/jason redundant",
      "warning public_key public-key",
    ]);
    expect(counts).toMatchObject({ files: 6, packages: 1, releases: 2, revisions: {} });
  });

  it("is of another repository when clients expect so", async () => {
    const { findings } = await verifyRepository(directorySource(folder), { repositoryName: "other" });
    const wrong = findings.filter(({ check }) => check === "repository");
    expect(wrong.map(({ key }) => key)).toEqual(["names", "packages/jason", "versions"]);
  });
});
