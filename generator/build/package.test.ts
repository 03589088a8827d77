import { describe, expect, it } from "vitest";
import { packageName, repositoryName, sha256, trusted, version } from "../../hex/ids.ts";
import { micros } from "../../schemas/time.ts";
import type { ReleaseRow, RequirementRow } from "../../store/queries/registry.ts";
import { namesPackage, versionsPackage } from "./indexes.ts";
import { buildPackage } from "./package.ts";

const LOCAL = trusted(repositoryName, "local");
const HEXPM = trusted(repositoryName, "hexpm");
const name = (text: string) => trusted(packageName, text);

function release(text: string, parts: Partial<ReleaseRow> = {}): ReleaseRow {
  return {
    version: trusted(version, text),
    innerChecksum: trusted(sha256, "11".repeat(32)),
    outerChecksum: trusted(sha256, "22".repeat(32)),
    blobKey: "blobs/x",
    docs: null,
    retirement: null,
    insertedAt: micros(1_700_000_000_123_456),
    requirements: [],
    ...parts,
  };
}

function requirement(text: string, parts: Partial<RequirementRow> = {}): RequirementRow {
  return {
    repository: LOCAL,
    package: name(text),
    app: text,
    requirement: "~> 1.0",
    optional: false,
    ...parts,
  };
}

describe("packages/NAME", () => {
  it("lists releases in ascending order, whatever the order of the rows", () => {
    const versions = ["1.10.0", "1.0.0", "1.0.0-rc.2", "1.0.0-rc.10", "1.9.0"];
    const built = buildPackage(LOCAL, {
      name: name("pear"),
      revision: 9,
      releases: versions.map((text) => release(text)),
    });
    expect(built.releases.map((each) => each.version)).toEqual([
      "1.0.0-rc.2",
      "1.0.0-rc.10",
      "1.0.0",
      "1.9.0",
      "1.10.0",
    ]);
    expect(built).toMatchObject({ repository: "local", name: "pear", revision: 9 });
  });

  it("writes optional, app and repository only where they say something", () => {
    const requirements = [
      requirement("plain"),
      requirement("optional", { optional: true }),
      requirement("other_app", { app: "app" }),
      requirement("outside", { repository: HEXPM }),
    ];
    const built = buildPackage(LOCAL, {
      name: name("pear"),
      revision: 1,
      releases: [release("1.0.0", { requirements })],
    });
    // Erlang's term order: our own, which have no repository, before the others; then by name.
    expect(built.releases[0]?.dependencies).toEqual([
      { package: "optional", requirement: "~> 1.0", optional: true },
      { package: "other_app", requirement: "~> 1.0", app: "app" },
      { package: "plain", requirement: "~> 1.0" },
      { package: "outside", requirement: "~> 1.0", repository: "hexpm" },
    ]);
  });

  it("keeps microseconds, and a retirement with or without a message", () => {
    const releases = [
      release("1.0.0", { retirement: { reason: "security", message: "do not use it" } }),
      release("1.1.0", { retirement: { reason: "other", message: null } }),
    ];
    const built = buildPackage(LOCAL, { name: name("pear"), revision: 1, releases });
    expect(built.releases[0]?.publishedAt).toEqual({ seconds: 1_700_000_000, nanos: 123_456_000 });
    expect(built.releases.map((each) => each.retired)).toEqual([
      { reason: "security", message: "do not use it" },
      { reason: "other" },
    ]);
  });
});

describe("the indexes", () => {
  const row = {
    name: name("pear"),
    updatedAt: micros(1_700_000_000_000_001),
    versions: ["1.10.0", "1.2.0", "1.0.0"].map((text) => trusted(version, text)),
    retired: [true, false, true],
  };

  it("have indexes into the sorted versions", () => {
    expect(versionsPackage(row)).toEqual({
      name: "pear",
      versions: ["1.0.0", "1.2.0", "1.10.0"],
      retired: [0, 2],
      withAdvisories: [],
    });
    expect(namesPackage(row)).toEqual({
      name: "pear",
      updatedAt: { seconds: 1_700_000_000, nanos: 1_000 },
    });
  });
});
