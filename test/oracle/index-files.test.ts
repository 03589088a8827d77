/** Index files that were put together from pieces, read by what others read them with: rebar3, erl, python, node. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { versionsPackage } from "../../generator/build/indexes.ts";
import { repositoryObjects } from "../../generator/build/objects.ts";
import { compareText } from "../../generator/build/order.ts";
import { signedFile } from "../../generator/build/signed-file.ts";
import { indexFilesOf } from "../../generator/index/index-files.ts";
import { verifySigned } from "../../proto/sign.ts";
import { micros } from "../../schemas/time.ts";
import { REPOSITORY } from "../bench/corpus.ts";
import { indexCorpus } from "../bench/index-corpus.ts";
import { testSigner } from "../support/signing.ts";
import { requireTool } from "../support/tools.ts";

const run = promisify(execFile);
const LARGEST = 1 << 26;
const hasRebar3 = requireTool("rebar3") && requireTool("escript");
const hasPython = requireTool("python3");
const signer = testSigner();
const rows = [...indexCorpus(15_000, 140_000)].sort((a, b) => compareText(a.name, b.name));
const KINDS = ["names", "versions"] as const;
let folder: string;
const pathOf = (kind: string) => join(folder, kind);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "skep-index-"));
  // Some chunks are new, some were there before.
  const middle = rows[7_000];
  if (middle === undefined) throw new TypeError("no row");
  const before = indexFilesOf(rows).with(new Map([[middle.name, { ...middle, updatedAt: micros(1) }]]));
  await before.deflate();
  const files = before.with(new Map([[middle.name, middle]]));
  for (const { key, source } of repositoryObjects(REPOSITORY, files, signer)) {
    if (source.kind === "sign") await writeFile(pathOf(key), await signedFile(source, signer));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What rebar3 knows of the file: not the times in `names`. */
function lines(kind: (typeof KINDS)[number]): readonly string[] {
  if (kind === "names") return rows.map((row) => row.name);
  return rows.map(versionsPackage).map((each) => [each.name, ...each.versions, ...each.retired].join(" "));
}

describe.each(KINDS)("%s", (kind) => {
  it.skipIf(!hasRebar3)("is verified and decoded by rebar3", async () => {
    const key = `<<${[...Buffer.from(signer.publicKeyPem)].join(",")}>>`;
    const term = `{list, decode_${kind}, "${pathOf(kind)}", <<"${REPOSITORY.name}">>, ${key}}.`;
    await writeFile(pathOf(`${kind}.terms`), term);
    const script = join(import.meta.dirname, "r3-registry.escript");
    const { stdout } = await run("escript", [script, pathOf(`${kind}.terms`)], { maxBuffer: LARGEST });
    expect(Buffer.from(stdout, "base64").toString().split("\n").slice(0, -1)).toEqual(lines(kind));
  });

  it.skipIf(!hasPython)("is one member for python and for node, which give the same", async () => {
    const program = `
import sys, zlib
stream = zlib.decompressobj(wbits=31)
sys.stdout.buffer.write(stream.decompress(open(sys.argv[1], "rb").read()))
assert stream.eof and not stream.unused_data`;
    const { stdout } = await run("python3", ["-c", program, pathOf(kind)], {
      encoding: "buffer",
      maxBuffer: LARGEST,
    });
    expect(gunzipSync(await readFile(pathOf(kind))).equals(stdout)).toBe(true);
    expect(verifySigned(stdout, signer.publicKeyPem).length).toBeGreaterThan(400_000);
  });
});
