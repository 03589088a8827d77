/** `GET /packages`: what a search finds, in what order, page by page. */

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it, test } from "vitest";
import { sortVersions } from "../../hex/versions/sort.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;

interface Sample {
  readonly name: string;
  readonly description?: string;
  readonly extra?: object;
  readonly updated?: string;
  readonly inserted?: string;
  /** Version to names of packages in `local`, or `REPOSITORY:NAME`, that it depends on. */
  readonly releases?: Readonly<Record<string, readonly string[]>>;
  readonly tools?: readonly string[];
  readonly downloads?: { readonly total: number; readonly recent?: number };
}

const SAMPLES: readonly Sample[] = [
  {
    name: "pear",
    description: "Fruit for web servers, see hex.pm/fruit",
    inserted: "2026-01-03",
    tools: ["mix", "make"],
    downloads: { total: 5, recent: 5 },
  },
  { name: "pearl", description: "Jewels", inserted: "2026-01-02", downloads: { total: 10 } },
  {
    name: "ex_pear",
    description: "The pears' binding",
    inserted: "2026-01-01",
    releases: { "1.0.0": ["pear"], "2.0.0-rc.1": [] },
  },
  {
    name: "a_b",
    description: "running",
    releases: { "1.0.0": ["pear"], "1.1.0": ["hexpm:plug"], "2.0.0-rc.1": [] },
    updated: "2026-02-01",
  },
  {
    name: "axb",
    description: "A server that runs",
    releases: { "1.0.0-rc.1": ["acme:pear"] },
    updated: "2026-02-02",
  },
  { name: "ab", extra: { foundation: { member: "yes", ids: [1, 2] }, size: 3 }, updated: "2026-02-03" },
];

beforeAll(async () => {
  registry = await startRegistry({ generator: false });
  const { sql } = registry.database;
  for (const [index, sample] of SAMPLES.entries()) {
    const meta = { description: sample.description ?? null, extra: sample.extra ?? {} };
    const [row] = await sql<{ id: number }[]>`
      insert into packages (repository_id, name, meta, inserted_at, updated_at)
      select id, ${sample.name}, ${sql.json(meta as never)}, ${sample.inserted ?? `2025-01-0${index + 1}`}::timestamptz,
        ${sample.updated ?? "2026-01-10"}::timestamptz from repositories where name = 'local' returning id`;
    const id = row?.id ?? 0;
    for (const [version, targets] of Object.entries(sample.releases ?? { "1.0.0": [] })) {
      const [release] = await sql<{ id: number }[]>`
        insert into releases (package_id, version, inner_checksum, outer_checksum, blob_key, meta)
        values (${id}, ${version}, decode(${"11".repeat(32)}, 'hex'), decode(${"11".repeat(32)}, 'hex'), '',
          ${sql.json({ app: sample.name, build_tools: (sample.tools ?? ["rebar3"]) as string[] })}) returning id`;
      for (const target of targets) {
        const [repository, name] = target.includes(":") ? target.split(":") : ["local", target];
        await sql`
          insert into requirements (release_id, repository, package, app, requirement)
          values (${release?.id ?? 0}, ${repository ?? ""}, ${name ?? ""}, ${name ?? ""}, '~> 1.0')`;
      }
    }
    await sql`update packages set updated_at = ${sample.updated ?? "2026-01-10"}::timestamptz where id = ${id}`;
    if (sample.downloads !== undefined) {
      const { total, recent = null } = sample.downloads;
      await sql`insert into package_downloads (package_id, total, recent) values (${id}, ${total}, ${recent})`;
    }
  }
});
afterAll(() => registry.stop());

async function list(
  query: Readonly<Record<string, string>>,
  path = "/packages",
): Promise<readonly { name: string; repository: string }[]> {
  const response = await registry.request(`${path}?${new URLSearchParams(query)}`);
  expect(response.status).toBe(200);
  return (await response.json()) as { name: string; repository: string }[];
}

const names = async (query: Readonly<Record<string, string>>) => (await list(query)).map(({ name }) => name);

describe("13.1: search", () => {
  test.each([
    ["no filter", "", ["a_b", "ab", "axb", "ex_pear", "pear", "pearl"]],
    ["blank", "   ", ["a_b", "ab", "axb", "ex_pear", "pear", "pearl"]],
    ["part of a name", "ear", ["ex_pear", "pear", "pearl"]],
    ["whatever its case", "EAR", ["ex_pear", "pear", "pearl"]],
    ["a short name", "ab", ["ab"]],
    ["`_` is no wildcard", "a_b", ["a_b"]],
    ["`%` is no wildcard", "a%b", []],
    ["a word of the description", "jewel", ["pearl"]],
    ["any word of the description", "jewels servers", ["axb", "pear", "pearl"]],
    ["English endings", "runs", ["a_b", "axb"]],
    ["a host in the description", "hex.pm", ["pear"]],
    ["a path in the description", "fruit", ["pear"]],
    ["operators are words", "jewels | !x & (y:*)", ["pearl"]],
    ["words that Postgres leaves out", "the", []],
    ["punctuation", "!&|", []],
    ["repository and name", "loc/pearl", ["pearl"]],
    ["repository, and a short name", "local/ab", ["ab"]],
    ["another repository", "acme/pearl", []],
    ["a short repository is exact", "lo/pearl", []],
    ["another repository, but the description", "acme/jewels", ["pearl"]],
    ["name:P", "name:pear", ["pear"]],
    ["name:P*", "name:pear*", ["pear", "pearl"]],
    ["name:*P", "name:*pear", ["ex_pear", "pear"]],
    ["name:*P*", "name:*ea*", ["ex_pear", "pear", "pearl"]],
    ["name:*", "name:*", ["a_b", "ab", "axb", "ex_pear", "pear", "pearl"]],
    ["name: `_` is no wildcard", "name:a_*", ["a_b"]],
    ["name:repo/P", "name:local/pear*", ["pear", "pearl"]],
    ["name:repo/P elsewhere", "name:acme/pear*", []],
    ["description:W", "description:pear", ["ex_pear"]],
    ["description:W, any of the words", 'description:"jewels, running"', ["a_b", "axb", "pearl"]],
    ["depends: the latest stable release", "depends:pear", ["ex_pear"]],
    ["depends: our own", "depends:local:pear", ["ex_pear"]],
    ["depends: an external repository", "depends:hexpm:plug", ["a_b"]],
    ["depends: external without its name", "depends:plug", ["a_b"]],
    ["depends: a pre-release where there is no other", "depends:acme:pear", ["axb"]],
    ["depends: nothing", "depends:none", []],
    ["build_tool", "build_tool:make", ["pear"]],
    ["build_tool of any release", "build_tool:rebar3", ["a_b", "ab", "axb", "ex_pear", "pearl"]],
    ["updated_after, oldest first", "updated_after:2026-02-01T00:00:00Z", ["a_b", "axb", "ab"]],
    [
      "updated_after that is none",
      "updated_after:yesterday",
      ["a_b", "ab", "axb", "ex_pear", "pear", "pearl"],
    ],
    ["extra", "extra:foundation,member,yes", ["ab"]],
    ["extra: a number", "extra:size,3", ["ab"]],
    ["extra: a list", "extra:foundation,ids,[2]", ["ab"]],
    ["extra: another value", "extra:foundation,member,no", []],
    ["extra accumulates", "extra:size,3 extra:foundation,member,no", []],
    ["extra without a comma", "extra:jewels", ["pearl"]],
    ["all parts", "ear build_tool:mix name:pear*", ["pear"]],
    ["unknown keys", "colour:red ear", ["ex_pear", "pear", "pearl"]],
    ["the last of two", "name:pearl name:pear", ["pear"]],
  ])("%s: %s", async (_, search, found) => {
    expect(await names({ search })).toEqual(found);
  });

  it("updated_after overrides sort", async () => {
    const search = "updated_after:2026-02-02T00:00:00Z";
    expect(await names({ search, sort: "inserted_at" })).toEqual(["axb", "ab"]);
  });

  it("also below /repos/R", async () => {
    const found = await list({ search: "name:pear*" }, "/repos/local/packages");
    expect(found.map(({ name, repository }) => [repository, name])).toEqual([
      ["local", "pear"],
      ["local", "pearl"],
    ]);
  });
});

describe("13.2: sort", () => {
  const byName = ["a_b", "ab", "axb", "ex_pear", "pear", "pearl"];
  test.each([
    ["name", byName],
    ["inserted_at", ["pear", "pearl", "ex_pear", "ab", "axb", "a_b"]],
    ["updated_at", ["ab", "axb", "a_b", "pear", "pearl", "ex_pear"]],
    ["recent_downloads", ["pear", "a_b", "ab", "axb", "ex_pear", "pearl"]],
    ["total_downloads", ["pearl", "pear", "a_b", "ab", "axb", "ex_pear"]],
    ["downloads", ["pearl", "pear", "a_b", "ab", "axb", "ex_pear"]],
    ["colour", byName],
    ["constructor", byName],
  ])("%s", async (sort, found) => expect(await names({ sort })).toEqual(found));
});

describe("1.6, 15.10: pages", () => {
  test.each([
    [{ per_page: "2" }, ["a_b", "ab"]],
    [{ per_page: "2", page: "3" }, ["pear", "pearl"]],
    [{ per_page: "2", page: "4" }, []],
    [{ per_page: "0" }, ["a_b"]],
    [{ per_page: "-5" }, ["a_b"]],
    [{ per_page: "x", page: "x" }, ["a_b", "ab", "axb", "ex_pear", "pear", "pearl"]],
    [{ per_page: "2", page: "0" }, ["a_b", "ab"]],
    [{ per_page: "2", page: "-1" }, ["a_b", "ab"]],
    [{ per_page: "1000" }, ["a_b", "ab", "axb", "ex_pear", "pear", "pearl"]],
    [{ page: "999999999" }, []],
  ])("%j", async (query, found) => expect(await names(query as Record<string, string>)).toEqual(found));
});

describe("the latest release", () => {
  it("follows the releases that come and go", async () => {
    const { sql } = registry.database;
    const add = (versions: string | readonly string[], tool: string) => sql`
      insert into releases (package_id, version, inner_checksum, outer_checksum, blob_key, meta)
      select id, version, decode(${"11".repeat(32)}, 'hex'), decode(${"11".repeat(32)}, 'hex'), '',
        ${sql.json({ app: "ab", build_tools: [tool] })}
      from packages, unnest(${[versions].flat()}::text[]) as version where name = 'ab'`;
    const latest = async () => {
      const [row] = await sql<{ version: string; tools: string[] }[]>`
        select r.version, p.build_tools as tools from packages p left join releases r on r.id = p.latest_release_id
        where p.name = 'ab'`;
      return [row?.version, ...(row?.tools ?? [])];
    };
    expect(await latest()).toEqual(["1.0.0", "rebar3"]);
    await add("10.0.0", "mix");
    await add("9.0.0", "gleam");
    await add("11.0.0-rc.1", "mix");
    expect(await latest()).toEqual(["10.0.0", "gleam", "mix", "rebar3"]);
    await sql`delete from releases where version = '10.0.0'`;
    expect(await latest()).toEqual(["9.0.0", "gleam", "mix", "rebar3"]);
    await sql`update releases set meta = ${sql.json({ app: "ab", build_tools: ["make"] })} where version = '9.0.0'`;
    expect(await latest()).toEqual(["9.0.0", "make", "mix", "rebar3"]);
    await sql`delete from releases where version in ('9.0.0', '11.0.0-rc.1')`;
    expect(await latest()).toEqual(["1.0.0", "rebar3"]);
    await add(["3.0.0", "12.0.0", "4.0.0"], "mix");
    expect(await latest()).toEqual(["12.0.0", "mix", "rebar3"]);
    await sql`delete from releases where version in ('3.0.0', '12.0.0', '4.0.0')`;
    expect(await latest()).toEqual(["1.0.0", "rebar3"]);
  });

  it("is found in the order of precedence", async () => {
    const number = fc.oneof(
      fc.nat({ max: 12 }).map(String),
      fc.constantFrom("99", "100", "1".repeat(26), "2".repeat(30)),
    );
    const identifier = fc.oneof(number, fc.constantFrom("a", "rc", "rc-1", "A", "-", "alpha"));
    const version = fc
      .tuple(number, number, number, fc.array(identifier, { maxLength: 3 }), fc.boolean())
      .map(
        ([major, minor, patch, pre, build]) =>
          `${major}.${minor}.${patch}${pre.length > 0 ? `-${pre.join(".")}` : ""}${build ? "+b-1" : ""}`,
      );
    const lists = fc.sample(fc.array(version, { minLength: 1, maxLength: 40 }), 40);
    for (const versions of lists) {
      const [row] = await registry.database.sql<{ sorted: string[] }[]>`
        select array_agg(v order by substr(release_rank(v), 2) collate "C", at) as sorted
        from unnest(${versions}::text[]) with ordinality as list (v, at)`;
      expect(row?.sorted).toEqual(sortVersions(versions));
      const stable = versions.filter((text) => !/^[^+]*-/.test(text));
      const [best] = await registry.database.sql<{ v: string }[]>`
        select v from unnest(${versions}::text[]) as v order by release_rank(v) collate "C" desc limit 1`;
      if (stable.length > 0) expect(stable).toContain(best?.v);
    }
  });
});
