/** Secrets are compared in constant time: `===` ends at the first byte that differs, and so tells how close a guess was. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "../..");
const FOLDERS = ["api", "web", "edge", "store", "cli", "schemas"];

const NAME = String.raw`[\w.]*(?:secret|hash|token|password|digest|challenge|csrf)\w*`;
const COMPARISON = new RegExp(
  String.raw`(?<![\w.])${NAME}\s*[=!]==?\s*([\w."]+)|([\w."]+)\s*[=!]==?\s*${NAME}(?![\w(])`,
  "gi",
);
/** To ask whether there is one at all, or of which kind, tells nothing of it. */
const HARMLESS = /^(undefined|null|true|false|["'\d])/;

/** Both sides are from one request: a new password, typed twice. */
const TYPED_TWICE = ["params.password_confirmation !== params.password", "password !== repeated"];

function comparisonsIn(text: string): readonly string[] {
  return [...text.matchAll(COMPARISON)]
    .filter(([, right, left]) => !HARMLESS.test(right ?? left ?? ""))
    .map(([found]) => found);
}

it("finds what it looks for", () => {
  expect(comparisonsIn("if (row.secret === given) x")).toHaveLength(1);
  expect(comparisonsIn("a.tokenHash !== b")).toHaveLength(1);
  expect(comparisonsIn("given === csrfToken")).toHaveLength(1);
  expect(comparisonsIn('secret === undefined || kind === "token" || null !== hash')).toEqual([]);
});

it.each(FOLDERS)("%s", (folder) => {
  const files = readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).filter(
    (file) => /\.tsx?$/.test(file) && !/\.test\.ts$/.test(file),
  );
  expect(files.length).toBeGreaterThan(0);
  const found = files.flatMap((file) =>
    comparisonsIn(readFileSync(join(root, folder, file), "utf8")).map((text) => `${file}: ${text}`),
  );
  expect(found.filter((text) => !TYPED_TWICE.some((known) => text.endsWith(known)))).toEqual([]);
});
