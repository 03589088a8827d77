import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { mutantPlugin } from "./test/faults/mutants.ts";

const folders = "{views,api,web,generator,edge,mirror,hex,proto,schemas,store,cli}";

/** Suites that start processes, servers or browsers of their own. */
const slow = { testTimeout: 60_000, hookTimeout: 120_000 };

function project(name: string, include: string, options: object = {}) {
  return { test: { name, include: [include], ...options } };
}

export default defineConfig({
  test: {
    globalSetup: ["test/support/global-setup.ts"],
    // Most suites wait for something (a lease, a service, a disk) for most of their time.
    maxWorkers: 2 * availableParallelism(),
    projects: [
      project("unit", `${folders}/**/*.test.ts`, { testTimeout: 30_000 }),
      project("model", "test/model/**/*.test.ts", slow),
      project("house", "test/house/**/*.test.ts", slow),
      project("oracle", "test/oracle/**/*.test.ts", slow),
      project("store", "test/contract/**/*.test.ts", slow),
      project("api", "test/api/**/*.test.ts", slow),
      project("web", "test/web/**/*.test.ts", slow),
      project("generator", "test/generator/**/*.test.ts", slow),
      {
        ...project("faults", "test/faults/**/*.test.ts", slow),
        plugins: [mutantPlugin(import.meta.dirname)],
      },
      project("cdn", "test/cdn/**/*.test.ts", slow),
      project("clients", "test/clients/**/*.test.ts", slow),
      project("deploy", "test/deploy/**/*.test.ts", slow),
      project("cli", "test/cli/**/*.test.ts", slow),
    ],
  },
});
