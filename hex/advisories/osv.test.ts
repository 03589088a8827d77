import { describe, expect, it } from "vitest";
import { cvssScore } from "./cvss.ts";
import { OsvError, readOsv } from "./osv.ts";

/** In the shape of GitHub's records. */
const RECORD = {
  schema_version: "1.4.0",
  id: "GHSA-aaaa-bbbb-cccc",
  modified: "2026-02-08T18:31:21.123456Z",
  published: "2026-02-01T00:00:00Z",
  aliases: ["CVE-2026-0002", "CVE-2026-0001", "CVE-2026-0001"],
  summary: "Pear lets anybody in",
  details: "Long text",
  severity: [
    { type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H" },
    { type: "CVSS_V4", score: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:N" },
  ],
  affected: [
    {
      package: { name: "pear", ecosystem: "Hex", purl: "pkg:hex/pear" },
      ranges: [
        { type: "SEMVER", events: [{ fixed: "1.2" }, { introduced: "0" }] },
        { type: "GIT", repo: "https://example.com", events: [{ introduced: "0" }, { fixed: "deadbeef" }] },
      ],
      versions: ["1.0.0", "0.9.0"],
      database_specific: { source: "x" },
    },
    {
      package: { name: "pear", ecosystem: "npm" },
      ranges: [{ type: "SEMVER", events: [{ introduced: "x" }] }],
    },
    {
      package: { name: "pear", ecosystem: "Hex" },
      ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "2" }] }],
    },
  ],
  references: [
    { type: "WEB", url: "https://example.com/a" },
    { type: "WEB", url: "javascript:alert(1)" },
  ],
};

it("reads what is about Hex", () => {
  const { affected, ...rest } = readOsv(RECORD);
  expect(rest).toEqual({
    id: "GHSA-aaaa-bbbb-cccc",
    summary: "Pear lets anybody in",
    aliases: ["CVE-2026-0001", "CVE-2026-0002"],
    publishedAt: "2026-02-01T00:00:00.000Z",
    modifiedAt: "2026-02-08T18:31:21.123Z",
    withdrawnAt: null,
    cvssVector: RECORD.severity[1]?.score,
    cvss: { score: 8.7, rating: "high" },
    references: [{ type: "WEB", url: "https://example.com/a" }],
  });
  expect([...affected]).toEqual([
    [
      "pear",
      {
        ranges: [[{ introduced: "0" }, { fixed: "1.2.0" }], [{ introduced: "2.0.0" }]],
        versions: ["0.9.0", "1.0.0"],
      },
    ],
  ]);
});

it("sorts the events of a range", () => {
  const events = [
    { last_affected: "1.0.0" },
    { limit: "*" },
    { fixed: "0.5.0" },
    { introduced: "1.0.0" },
    { introduced: "0" },
  ];
  const { affected } = readOsv({
    ...RECORD,
    affected: [{ ...RECORD.affected[0], ranges: [{ type: "SEMVER", events }] }],
  });
  expect([...affected.values()][0]?.ranges[0]).toEqual([
    { introduced: "0" },
    { fixed: "0.5.0" },
    { introduced: "1.0.0" },
    { last_affected: "1.0.0" },
    { limit: "*" },
  ]);
});

it.each([
  ["no summary", { summary: undefined, details: "\n\n# First  line\nSecond" }, "# First line"],
  ["a blank one", { summary: " \n", details: null }, "GHSA-aaaa-bbbb-cccc"],
  ["several lines", { summary: "One\ntwo\u0000three\u001b[2J" }, "One two three [2J"],
  ["a long one", { summary: "é".repeat(600) }, `${"é".repeat(499)}…`],
])("a summary is one line: %s", (_, parts, summary) => {
  expect(readOsv({ ...RECORD, ...parts }).summary).toBe(summary);
});

it("severity may stand with the package", () => {
  const affected = [{ ...RECORD.affected[0], severity: RECORD.severity.slice(0, 1) }];
  expect(readOsv({ ...RECORD, severity: null, affected }).cvss).toEqual({ score: 7.5, rating: "high" });
  expect(readOsv({ ...RECORD, severity: [] })).toMatchObject({ cvss: null, cvssVector: null });
});

it("a record that says little is enough", () => {
  const read = readOsv({ id: "X-1", modified: "2026-02-08T18:31:21+02:00" });
  expect(read).toMatchObject({ publishedAt: "2026-02-08T16:31:21.000Z", aliases: [], references: [] });
  expect(read.affected.size).toBe(0);
});

describe("what is wrong is told", () => {
  const first = RECORD.affected[0];
  it.each<[string, unknown, string]>([
    ["no object", [], "the record: Invalid input: expected object, received array"],
    ["no id", { ...RECORD, id: undefined }, "id: Invalid input: expected string, received undefined"],
    ["an id that is a path", { ...RECORD, id: "../x" }, "id: is no identifier"],
    ["a time that is none", { ...RECORD, modified: "yesterday" }, "modified: Invalid ISO datetime"],
    [
      "an alias that steers terminals",
      { ...RECORD, aliases: ["\u001b"] },
      "aliases[0]: has control characters",
    ],
    [
      "a name that is none",
      { ...RECORD, affected: [{ ...first, package: { ecosystem: "Hex", name: "Pear" } }] },
      "affected[0].package.name: is no name of a package: Pear",
    ],
    [
      "a version that is none",
      { ...RECORD, affected: [{ ...first, versions: ["1.0.0", "v1"] }] },
      "affected[0].versions[1]: is no version: v1",
    ],
    [
      "an event at none",
      {
        ...RECORD,
        affected: [{ ...first, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "x" }] }] }],
      },
      "affected[0].ranges[0].events[1].fixed: is no version: x",
    ],
    [
      "fixed at 0",
      {
        ...RECORD,
        affected: [{ ...first, ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "*" }] }] }],
      },
      "affected[0].ranges[0].events[1].fixed: is no version: *",
    ],
    [
      "a range without a start",
      { ...RECORD, affected: [{ ...first, ranges: [{ type: "SEMVER", events: [{ fixed: "1.0.0" }] }] }] },
      "affected[0].ranges[0].events: nothing is introduced",
    ],
    [
      "a range of a kind to come",
      { ...RECORD, affected: [{ ...first, ranges: [{ type: "DATE", events: [{ introduced: "0" }] }] }] },
      "affected[0].ranges[0].type: is not known: DATE",
    ],
    [
      "two in one event",
      {
        ...RECORD,
        affected: [{ ...first, ranges: [{ type: "SEMVER", events: [{ introduced: "0", fixed: "1.0.0" }] }] }],
      },
      "affected[0].ranges[0].events[0]: must have exactly one of introduced, fixed, last_affected, limit",
    ],
  ])("%s", (_, value, message) => {
    expect(() => readOsv(value)).toThrow(new OsvError(message));
  });
});

// Scores of the examples that FIRST publishes with CVSS 3.1 and 4.0, and of NVD for 2.0.
it.each([
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1, "medium"],
  ["CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4, "medium"],
  ["CVSS:3.0/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1, "low"],
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10, "critical"],
  ["CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0, "none"],
  ["CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H", 10, "critical"],
  ["CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 7.3, "high"],
  ["AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8, "high"],
])("%s is %d, %s", (vector, score, rating) => expect(cvssScore(vector)).toEqual({ score, rating }));

it.each([
  "",
  "rubbish",
  "CVSS:3.1/AV:N",
  "CVSS:4.0/AV:N",
  "CVSS:3.1/AV:?/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N",
  "CVSS:9.9/AV:N",
])("%j says nothing", (vector) => expect(cvssScore(vector)).toBeUndefined());
