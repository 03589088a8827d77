/** Which release this is. */
import { readFileSync } from "node:fs";

/** @returns the version of package.json, from the sources or from `dist`. */
export function releaseVersion(): string {
  for (const path of ["../package.json", "../../package.json"]) {
    try {
      const { name, version } = JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")) as Record<
        string,
        unknown
      >;
      if (name === "skep") return String(version);
    } catch {
      // Not there: the other one is.
    }
  }
  return "unknown";
}
