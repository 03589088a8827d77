/** Copies what the compiled program reads at run time and the compiler does not copy: SQL, .proto and style sheets. */
import { cp, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

for (const [folder, ending] of [
  ["schemas/migrations", ".sql"],
  ["proto", ".proto"],
  ["web", ".css"],
]) {
  await mkdir(join(root, "dist", folder), { recursive: true });
  for (const file of await readdir(join(root, folder))) {
    if (file.endsWith(ending)) await cp(join(root, folder, file), join(root, "dist", folder, file));
  }
}
