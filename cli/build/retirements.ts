/** Retirements as a file: YAML, of which JSON is a part. Pure. */
import { stringify } from "yaml";
import { z } from "zod";
import type { Retirement } from "../../store/queries/releases.ts";
import { parseYaml } from "../yaml-text.ts";

/** By package, then by version. */
export type Retirements = ReadonlyMap<string, ReadonlyMap<string, Retirement>>;

/** What the file is called in a registry's folder. */
export const RETIREMENTS_FILE = "retirements.yaml";

// Some hundred thousand entries; far below what aliases could make of a small file.
const LONGEST = 16 << 20;

const file = z
  .record(
    z.string(),
    z.record(
      z.string(),
      z.strictObject({
        reason: z.enum(["other", "invalid", "security", "deprecated", "renamed"]),
        message: z.string().min(1).max(1_000).nullish(),
      }),
    ),
  )
  .nullable();

/** @returns the retirements, or what is wrong with the text, a line for each. */
export function parseRetirements(text: string): Retirements | readonly string[] {
  const read = parseYaml(text, LONGEST);
  if ("problems" in read) return read.problems;
  const parsed = file.safeParse(read.value);
  if (!parsed.success) {
    return parsed.error.issues.map(({ path, message }) => `${path.join(" ") || "the file"}: ${message}`);
  }
  const packages = Object.entries(parsed.data ?? {});
  return new Map(
    packages.map(([name, versions]) => [
      name,
      new Map(
        Object.entries(versions).map(([version, { reason, message }]) => [
          version,
          { reason, message: message ?? null },
        ]),
      ),
    ]),
  );
}

/** @returns the file that {@link parseRetirements} reads as these. */
export function formatRetirements(retirements: Retirements): string {
  const packages = [...retirements].map(([name, versions]) => {
    const entries = [...versions].map(([version, { reason, message }]) => [
      version,
      message === null ? { reason } : { reason, message },
    ]);
    return [name, Object.fromEntries(entries)];
  });
  return stringify(Object.fromEntries(packages));
}
