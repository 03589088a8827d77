/** `npm run bench [NAME ...]`: each figure beside a limit that is measured in the same run. */
import { availableParallelism } from "node:os";
import { benchBuild } from "./build.ts";
import { benchGenerator } from "./generator.ts";
import { benchHexCore } from "./hex-core.ts";
import { benchIndexFiles } from "./index-files.ts";
import { benchPublish } from "./publish.ts";
import { benchRead } from "./read.ts";
import { benchRebuild } from "./rebuild.ts";
import { type Row, table } from "./report.ts";
import { benchStatic } from "./static.ts";
import { benchUnchanged } from "./unchanged.ts";

const BENCHES: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  "index-files": benchIndexFiles,
  generator: benchGenerator,
  "hex-core": benchHexCore,
  rebuild: benchRebuild,
  unchanged: benchUnchanged,
  publish: benchPublish,
  build: benchBuild,
  static: benchStatic,
  read: benchRead,
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in BENCHES));
if (unknown.length > 0) {
  console.error(`no such benchmark: ${unknown.join(", ")}; there are ${Object.keys(BENCHES).join(", ")}`);
  process.exit(2);
}
const rows: Row[] = [];
for (const [name, bench] of Object.entries(BENCHES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.error(`${name} ...`);
  rows.push(...(await bench()));
}
console.log(`node ${process.version}, ${availableParallelism()} processors\n`);
console.log(table(rows));
