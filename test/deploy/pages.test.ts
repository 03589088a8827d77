/** Pages that somebody reads in trouble: what they point at is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";

const DEPLOY = join(import.meta.dirname, "../../deploy");
const pages = readdirSync(DEPLOY, { recursive: true, encoding: "utf8" }).filter((file) =>
  file.endsWith(".md"),
);

it.each(pages)("%s", (page) => {
  const text = readFileSync(join(DEPLOY, page), "utf8");
  const links = [...text.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = ""]) => target);
  const lost = links.filter(
    (target) => !/^https?:/.test(target) && !existsSync(join(DEPLOY, dirname(page), target)),
  );
  expect(lost).toEqual([]);
});

it("alerts find a page under these names", () => {
  const names = [
    "generator-lag",
    "generator-down",
    "purge-failing",
    "stale-file",
    "bucket-lost",
    "rotate-cdn-token",
  ];
  for (const name of [...names, "database-restored"]) expect(pages).toContain(join("runbooks", `${name}.md`));
});
