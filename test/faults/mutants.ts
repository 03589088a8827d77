/**
 * The safeguards of the writing protocol, each taken out by one change of the source. `mutants.test.ts` runs
 * the fault suites against each; a mutant that survives means that a safeguard is not tested.
 */
import { resolve } from "node:path";
import type { Plugin } from "vitest/config";

export interface Mutant {
  readonly name: string;
  /** Below the project's root. */
  readonly file: string;
  /** Must occur exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The suite that must turn red. */
  readonly caughtBy: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "fence left out: records count under any generation",
    file: "generator/books.ts",
    find: "!(await holdsLease(tx, claim.repositoryId, claim.generation))",
    replace: "false",
    caughtBy: "overtaken",
  },
  {
    name: "conditional PUT left out",
    file: "generator/write/put.ts",
    find: 'return current === undefined ? { kind: "absent" } : { kind: "match", etag: current.etag };',
    replace: 'return { kind: "none" };',
    caughtBy: "overtaken",
  },
  {
    name: "intent left out",
    file: "generator/books.ts",
    find: "if (intents.length === 0) return;",
    replace: "return;",
    caughtBy: "failing-steps",
  },
  {
    name: "open intents not looked at",
    file: "generator/look.ts",
    find: "new Set(snapshot.intents.map((intent) => intent.key))",
    replace: "new Set<string>()",
    caughtBy: "failing-steps",
  },
  {
    name: "order of two steps swapped: versions before packages",
    file: "generator/batch.ts",
    find: 'run("put-packages", () => putStage(context, claim, build, isKind("package")))',
    replace: 'run("put-packages", () => putStage(context, claim, build, isKind("versions")))',
    caughtBy: "failing-steps",
  },
  {
    name: "order of two steps swapped: packages before tarballs",
    file: "generator/batch.ts",
    find: 'run("put-tarballs", () => putStage(context, claim, build, isLeaf))',
    replace: 'run("put-tarballs", () => putStage(context, claim, build, isKind("package")))',
    caughtBy: "failing-steps",
  },
  {
    name: "purge dropped",
    file: "generator/books.ts",
    find: "context.cdn === undefined || changed.length === 0",
    replace: "true",
    caughtBy: "cdn",
  },
  {
    name: "read-back dropped",
    file: "generator/purge/worker.ts",
    find: "return served === recorded?.etag;",
    replace: "return true;",
    caughtBy: "cdn",
  },
  {
    name: "second purge dropped",
    file: "generator/purge/worker.ts",
    find: "if (purge.rounds > 0) return finishPurge(tx, purge.id);",
    replace: "await finishPurge(tx, purge.id);",
    caughtBy: "cdn",
  },
  {
    name: "watermark instead of rows",
    file: "store/queries/changes.ts",
    find: "and finished_at is null and not_before <= now()\n    order by id",
    replace:
      "and id > (select coalesce(max(id), 0) from changes where finished_at is not null)\n    order by id",
    caughtBy: "commit-order",
  },
  {
    name: "revision left out of packages",
    file: "generator/build/package.ts",
    find: "revision: row.revision,",
    replace: "revision: 0,",
    caughtBy: "overtaken",
  },
  {
    name: "deletion of what is live again",
    file: "generator/deletions.ts",
    find: "due.filter((deletion) => !live.has(deletion.key))",
    replace: "[...due]",
    caughtBy: "failing-steps",
  },
  {
    name: "bytes published without a check",
    file: "generator/write/stage.ts",
    find: '.digest("hex") !== payloadHash',
    replace: '.digest("hex") === ""',
    caughtBy: "lost-bytes",
  },
];

/** Applies the mutant that SKEP_MUTANT names; a mutant that no longer applies is an error. */
export function mutantPlugin(root: string): Plugin | undefined {
  const name = process.env.SKEP_MUTANT;
  if (name === undefined) return undefined;
  const mutant = MUTANTS.find((each) => each.name === name);
  if (mutant === undefined) throw new Error(`no mutant ${name}`);
  const path = resolve(root, mutant.file);
  return {
    name: "mutant",
    enforce: "pre",
    transform(code, id) {
      if (id !== path) return undefined;
      if (code.split(mutant.find).length !== 2) throw new Error(`mutant does not apply: ${name}`);
      return code.replace(mutant.find, () => mutant.replace);
    },
  };
}
