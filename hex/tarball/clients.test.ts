/** Against hex_core as rebar3 brings it: what it packs is read here, and it unpacks what is built here. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packageTarball } from "../../test/support/package-builder.ts";
import { requireTool } from "../../test/support/tools.ts";
import { buildTarball } from "./build.ts";
import { readTarball } from "./tarball.ts";

let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tarballs-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

const LOAD = `
load() ->
  {ok, Sections} = escript:extract(os:find_executable("rebar3"), []),
  {ok, Files} = zip:unzip(proplists:get_value(archive, Sections), [memory]),
  [code:load_binary(list_to_atom(filename:basename(Name, ".beam")), Name, Beam)
    || {Name, Beam} <- Files, filename:extension(Name) == ".beam",
       lists:prefix("r3_", filename:basename(Name))].
hex(Bytes) -> r3_hex_tarball:format_checksum(Bytes).
`;

/** Runs an Erlang script in the folder, where the modules of rebar3's hex_core can be called. */
function escript(main: string): void {
  const path = join(folder, "script");
  writeFileSync(path, `#!/usr/bin/env escript\n%% -*- coding: utf-8 -*-\n${main}\n${LOAD}`);
  execFileSync("escript", [path], { cwd: folder });
}

const file = (name: string): string => join(folder, name);

const PATHS = [
  "mix.exs",
  "priv/żółć.txt",
  `${"d/".repeat(60)}${"f".repeat(90)}`,
  `${"d/".repeat(10)}${"g".repeat(150)}`,
  `${"h".repeat(99)}`,
  `${"h".repeat(100)}`,
  `${"h".repeat(101)}`,
  `e/${"日本".repeat(40)}.ex`,
  "priv/empty",
];

describe.runIf(requireTool("rebar3") && requireTool("escript"))("against hex_core", () => {
  it("reads what it packs", { timeout: 30_000 }, async () => {
    const paths = PATHS.map((path) => `[${Array.from(path, (letter) => letter.codePointAt(0))}]`);
    escript(`main(_) ->
      load(),
      ok = file:make_symlink("../script", "link"),
      ok = file:make_dir("folder"),
      Metadata = #{
        <<"name">> => <<"packed">>, <<"version">> => <<"1.0.0">>, <<"app">> => <<"packed">>,
        <<"description">> => <<"Zażółć \\"gęślą\\" jaźń\\n\\\\ "/utf8>>,
        <<"files">> => [<<"mix.exs">>],
        <<"links">> => #{<<"a">> => <<"https://example.com">>},
        <<"extra">> => #{<<"nested">> => #{<<"deep">> => [1, 2]}},
        <<"requirements">> => #{<<"dep">> => #{<<"app">> => <<"dep">>, <<"optional">> => false,
          <<"requirement">> => <<"~> 1.0">>, <<"repository">> => <<"hexpm">>}}},
      Contents = [{Path, unicode:characters_to_binary(Path)} || Path <- [${paths}]],
      {ok, #{tarball := Tarball, inner_checksum := Inner, outer_checksum := Outer}} =
        r3_hex_tarball:create(Metadata, Contents ++ [{"bin/link", "link"}, {"folder", "folder"}]),
      ok = file:write_file("packed.tar", Tarball),
      ok = file:write_file("checksums", [hex(Inner), " ", hex(Outer)]).`);
    const read = await readTarball(readFileSync(file("packed.tar")));
    const checksums = [read.innerChecksum.toString("hex"), read.outerChecksum].join(" ").toUpperCase();
    expect(checksums).toBe(readFileSync(file("checksums"), "utf8"));
    expect(read.files.map(({ path }) => path).sort()).toEqual([...PATHS, "bin/link"].sort());
    expect(read.metadata).toEqual({
      name: "packed",
      version: "1.0.0",
      app: "packed",
      description: 'Zażółć "gęślą" jaźń\n\\ ',
      files: ["mix.exs"],
      buildTools: ["mix"],
      links: { a: "https://example.com" },
      extra: { nested: { deep: [1, 2] } },
      requirements: [
        { name: "dep", app: "dep", optional: false, requirement: "~> 1.0", repository: "hexpm" },
      ],
    });
  });

  it("builds what it unpacks", { timeout: 30_000 }, () => {
    const files = Object.fromEntries(PATHS.map((path) => [path, `content of ${path}`]));
    const metadata = { name: "built", version: "1.0.0", description: 'żółć, "quoted"\\', files: ["mix.exs"] };
    const built = buildTarball({ metadata, files });
    writeFileSync(file("built.tar"), built.tarball);
    writeFileSync(file("example.tar"), packageTarball());
    escript(`main(_) ->
      load(),
      {ok, Example} = file:read_file("example.tar"),
      {ok, _} = r3_hex_tarball:unpack(Example, memory),
      {ok, Tarball} = file:read_file("built.tar"),
      {ok, #{inner_checksum := Inner, outer_checksum := Outer, contents := Contents, metadata := Metadata}} =
        r3_hex_tarball:unpack(Tarball, memory),
      {ok, _} = r3_hex_tarball:unpack(Tarball, "unpacked"),
      Lines = [hex(Inner), hex(Outer), maps:get(<<"description">>, Metadata)
        | [[unicode:characters_to_binary(Path), "=", Content] || {Path, Content} <- Contents]],
      ok = file:write_file("report", lists:join($\\n, Lines)).`);
    expect(readFileSync(file("report"), "utf8").split("\n")).toEqual([
      built.innerChecksum.toString("hex").toUpperCase(),
      built.outerChecksum.toUpperCase(),
      metadata.description,
      ...Object.entries(files).map((entry) => entry.join("=")),
    ]);
    for (const [path, content] of Object.entries(files)) {
      expect(readFileSync(join(folder, "unpacked", path), "utf8")).toBe(content);
    }
  });
});
