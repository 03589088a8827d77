/** Each safeguard that is taken out turns a fault suite red. */
import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { describe, expect, inject, it } from "vitest";
import { MUTANTS, type Mutant } from "./mutants.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");

/** @returns the exit code and what was printed. */
async function runSuite(mutant: Mutant): Promise<{ readonly failed: boolean; readonly output: string }> {
  const suite = `test/faults/${mutant.caughtBy}.test.ts`;
  const args = [
    resolve(root, "node_modules/vitest/vitest.mjs"),
    "run",
    "--project",
    "faults",
    "--bail",
    "1",
    suite,
  ];
  const env = {
    ...process.env,
    SKEP_MUTANT: mutant.name,
    TEST_DATABASE_URL: inject("databaseUrl"),
    NO_COLOR: "1",
  };
  try {
    const { stdout, stderr } = await run(process.execPath, args, { cwd: root, env, maxBuffer: 1 << 26 });
    return { failed: false, output: stdout + stderr };
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    return { failed: true, output: stdout + stderr };
  }
}

// Each runs a whole suite, with a machine's processors shared between two of them.
const LONGEST_MILLISECONDS = 300_000;

describe.runIf(process.env.SKEP_MUTANT === undefined)("mutants", () => {
  it.concurrent.each(MUTANTS)("$name", { timeout: LONGEST_MILLISECONDS }, async (mutant) => {
    const { failed, output } = await runSuite(mutant);
    expect(failed, `survived ${mutant.caughtBy}: ${mutant.name}`).toBe(true);
    // Red because a test failed, and not because the mutant did not apply or nothing ran.
    expect(output).not.toContain("mutant does not apply");
    expect(output).toMatch(/Tests {2}\d+ failed/);
  });
});
