/**
 * The direction of imports (docs/design.md) is kept by the compiler's project references, and by the linter
 * where a reference of a reference would let one through. Here it is shown that they do refuse.
 */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

const ALLOWED: Record<string, readonly string[]> = {
  hex: [],
  proto: [],
  schemas: ["hex"],
  store: ["schemas", "hex"],
  views: ["store", "schemas", "hex"],
  api: ["views", "store", "schemas", "hex"],
  web: ["api", "views", "store", "schemas", "hex"],
  edge: ["store", "schemas", "proto", "hex"],
  generator: ["views", "store", "schemas", "proto", "hex"],
  mirror: ["store", "proto", "hex"],
  cli: ["api", "web", "views", "edge", "generator", "mirror", "store", "schemas", "proto", "hex"],
};
const FOLDERS = Object.keys(ALLOWED);

let copy: string;

/** A tree with the project's own compiler settings, and one small file in each folder. */
beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), "skep-imports-"));
  await cp(join(root, "tsconfig.base.json"), join(copy, "tsconfig.base.json"));
  await writeFile(join(copy, "package.json"), '{"type":"module"}');
  await cp(join(root, "biome.json"), join(copy, "biome.json"));
  await symlink(join(root, "node_modules"), join(copy, "node_modules"));
  for (const folder of FOLDERS) {
    await mkdir(join(copy, folder));
    await cp(join(root, folder, "tsconfig.json"), join(copy, folder, "tsconfig.json"));
    await writeFile(join(copy, folder, "thing.ts"), `export const ${folder}Thing = 1;\n`);
  }
});

afterAll(() => rm(copy, { recursive: true, force: true }));

const COMPILER = join(root, "node_modules/typescript/bin/tsc");
const LINTER = join(root, "node_modules/@biomejs/biome/bin/biome");
const LINT = ["lint", "--vcs-enabled=false", "--colors=off", "--only=style/noRestrictedImports"];

async function output(program: string, args: readonly string[]): Promise<string> {
  try {
    await run(process.execPath, [program, ...args], { cwd: copy });
    return "";
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return stdout + stderr;
  }
}

/** @returns what compiler and linter say of a file that imports these folders. */
async function check(folder: string, imports: readonly string[]): Promise<string> {
  const file = join(folder, "imports.ts");
  const lines = imports.map((other) => `export { ${other}Thing } from "../${other}/thing.ts";\n`);
  await writeFile(join(copy, file), lines.join(""));
  try {
    return (await output(COMPILER, ["-b", folder])) + (await output(LINTER, [...LINT, file]));
  } finally {
    await rm(join(copy, file));
  }
}

describe.each(FOLDERS)("%s", (folder) => {
  const allowed = ALLOWED[folder] ?? [];
  const forbidden = FOLDERS.filter((other) => other !== folder && !allowed.includes(other));

  it("may import what lies below it", async () => {
    expect(await check(folder, allowed)).toBe("");
  });

  if (forbidden.length === 0) return;
  it("may import nothing else", async () => {
    for (const other of forbidden) {
      expect(await check(folder, [other]), `${folder} -> ${other}`).toMatch(/TS6307|noRestrictedImports/);
    }
  });
});
