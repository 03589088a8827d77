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
  /** Each text must occur exactly once; all are looked for before any is replaced. */
  readonly edits: readonly (readonly [find: string, replace: string])[];
  /** The suite that must turn red. */
  readonly caughtBy: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "fence left out: records count under any generation",
    file: "generator/books.ts",
    edits: [["!(await holdsLease(tx, claim.repositoryId, claim.generation))", "false"]],
    caughtBy: "overtaken",
  },
  {
    name: "conditional PUT left out",
    file: "generator/write/put.ts",
    edits: [
      [
        'return current === undefined ? { kind: "absent" } : { kind: "match", etag: current.etag };',
        'return { kind: "none" };',
      ],
    ],
    caughtBy: "overtaken",
  },
  {
    name: "intent left out",
    file: "generator/books.ts",
    edits: [["if (intents.length === 0) return;", "return;"]],
    caughtBy: "failing-steps",
  },
  {
    name: "open intents not looked at",
    file: "generator/look.ts",
    edits: [["new Set(snapshot.intents.map((intent) => intent.key))", "new Set<string>()"]],
    caughtBy: "failing-steps",
  },
  {
    name: "order of two steps swapped: versions before packages",
    file: "generator/batch.ts",
    edits: [
      [
        'run("put-packages", () => put(isKind("package")))',
        'run("put-packages", () => put(isKind("versions")))',
      ],
      [
        'run("put-versions", () => put(isKind("versions")))',
        'run("put-versions", () => put(isKind("package")))',
      ],
    ],
    caughtBy: "failing-steps",
  },
  {
    name: "order of two steps swapped: packages before tarballs",
    file: "generator/batch.ts",
    edits: [
      ['run("put-tarballs", () => put(isLeaf))', 'run("put-tarballs", () => put(isKind("package")))'],
      ['run("put-packages", () => put(isKind("package")))', 'run("put-packages", () => put(isLeaf))'],
    ],
    caughtBy: "failing-steps",
  },
  {
    name: "purge dropped",
    file: "generator/books.ts",
    edits: [["context.cdn === undefined || changed.length === 0", "true"]],
    caughtBy: "cdn",
  },
  {
    name: "read-back dropped",
    file: "generator/purge/worker.ts",
    edits: [["if (served === recorded?.etag) return true;", "return true;"]],
    caughtBy: "cdn",
  },
  {
    name: "second purge dropped",
    file: "generator/purge/worker.ts",
    edits: [
      [
        "if (purge.rounds > 0) {\n      await finishPurge(tx, purge.id);\n      return [];\n    }",
        "await finishPurge(tx, purge.id);",
      ],
    ],
    caughtBy: "cdn",
  },
  {
    name: "watermark instead of rows",
    file: "store/queries/changes.ts",
    edits: [
      [
        "and finished_at is null and not_before <= now()\n    order by id",
        "and id > (select coalesce(max(id), 0) from changes where finished_at is not null)\n    order by id",
      ],
    ],
    caughtBy: "commit-order",
  },
  {
    name: "revision left out of packages",
    file: "generator/build/package.ts",
    edits: [["revision: row.revision,", "revision: 0,"]],
    caughtBy: "overtaken",
  },
  {
    name: "bytes published without a check",
    file: "generator/write/stage.ts",
    edits: [['.digest("hex") !== payloadHash', '.digest("hex") === ""']],
    caughtBy: "lost-bytes",
  },
  {
    name: "revisions not raised above what the store has seen",
    file: "generator/adopt/adopt.ts",
    edits: [["await raiseRevisions(tx, repository.id, [...packages], revision);", ""]],
    caughtBy: "adopt",
  },
  {
    name: "what only the store has is taken for what is to go",
    file: "generator/look.ts",
    edits: [["doubtful.filter((key) => !kept.has(key))", "doubtful"]],
    caughtBy: "adopt",
  },
  {
    name: "deletions of before the backup go on",
    file: "generator/adopt/survey.ts",
    edits: [["survey.lost.add(key);", ""]],
    caughtBy: "adopt",
  },
  {
    name: "what is held of the indexes is of any past",
    file: "generator/index/index-states.ts",
    edits: [["if (!isSamePast || since.length", "if (since.length"]],
    caughtBy: "index-states",
  },
  {
    name: "missing changes of the indexes not noticed",
    file: "generator/index/index-states.ts",
    edits: [["!isSamePast || since.length !== current - state.revision", "!isSamePast"]],
    caughtBy: "index-states",
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
      for (const [find] of mutant.edits) {
        if (code.split(find).length !== 2) throw new Error(`mutant does not apply: ${name}: ${find}`);
      }
      // Through marks, as what one edit puts in may be what the next one looks for.
      const marked = mutant.edits.reduce((text, [find], index) => text.replace(find, `\0${index}\0`), code);
      return mutant.edits.reduce(
        (text, [, replace], index) => text.replace(`\0${index}\0`, () => replace),
        marked,
      );
    },
  };
}
