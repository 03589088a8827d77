import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { type PackageName, type RepositoryName, repositoryName } from "../../hex/ids.ts";
import { SkepError } from "../../schemas/errors.ts";
import type { PackageAdvisory } from "../../store/queries/advisories.ts";
import { knownOf } from "../advisories/import.ts";
import { readFeed } from "../advisories/records.ts";
import { type BuildReport, buildRegistry } from "../build/registry.ts";
import { parseRetirements, RETIREMENTS_FILE, type Retirements } from "../build/retirements.ts";
import type { Context } from "../context.ts";
import { isOpenToOthers, signingKey } from "../data-folder.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { openProgress } from "../progress.ts";
import { visible } from "../visible.ts";

interface BuildFlags {
  readonly name: string;
  readonly privateKey: string;
  readonly retirements?: string;
  readonly advisories?: string;
  readonly external: string;
  readonly cache?: string;
  readonly newIdentity?: boolean;
  readonly allowRemovals?: boolean;
}

const NO_KEY = "make one with `openssl genrsa -out FILE 2048`, and keep a backup of it";

export function buildCommand(context: Context): Command {
  return new Command("build")
    .description("build a registry from a folder of tarballs, without a database")
    .argument("<folder>", "the registry; its tarballs are in `tarballs` below it")
    .requiredOption("--name <name>", "the repository's name, as clients have it")
    .requiredOption("--private-key <file>", "the key to sign with: RSA of 2048 bits or more, in PEM")
    .option("--retirements <file>", `which releases are retired (default: ${RETIREMENTS_FILE} in the folder)`)
    .option(
      "--advisories <file-or-folder>",
      "security advisories: an export of OSV, as for `skep advisories import`",
    )
    .option(
      "--external <name>",
      "where dependencies are that are not here and do not say where they are",
      "hexpm",
    )
    .option("--cache <file>", "where to remember what was read (default: .skep-build/cache in the folder)")
    .option("--new-identity", "sign with another key, or under another name, than the folder's files have")
    .option("--allow-removals", "also when many packages have lost all of their tarballs")
    .addHelpText(
      "after",
      `
Takes the place of \`mix hex.registry build\`: the same folder, the same files. Needs no configuration. Reads only
tarballs that are new or were replaced. One that is broken stops it before anything is written.

The folder is what a web server or a bucket serves; leave out .skep-build when you copy it. Retirements are YAML:

  decimal:
    1.0.0: {reason: security, message: use 1.0.1}

with one of the reasons other, invalid, security, deprecated, renamed.

Examples:
  openssl genrsa -out private_key.pem 2048
  cp foo-1.0.0.tar public/tarballs/
  skep build public --name acme --private-key private_key.pem
${EXIT_HELP}`,
    )
    .action((folder: string, flags: BuildFlags) => build(context, folder, flags));
}

async function build({ terminal }: Context, folder: string, flags: BuildFlags): Promise<void> {
  const repository = requireName("--name", flags.name);
  const signer = await signingKey(flags.privateKey, NO_KEY);
  if (await isOpenToOthers(flags.privateKey)) {
    terminal.say(
      `warning: others on this machine can read ${flags.privateKey}: chmod 600 ${flags.privateKey}`,
    );
  }
  const progress = openProgress(terminal, "building", "packages");
  const report = await buildRegistry({
    folder,
    repository,
    external: requireName("--external", flags.external),
    signer,
    retirements: await readRetirements(folder, flags.retirements),
    advisories: await readAdvisories(flags.advisories),
    ...(flags.cache === undefined ? {} : { cacheFile: flags.cache }),
    newIdentity: flags.newIdentity === true,
    allowRemovals: flags.allowRemovals === true,
    clock: () => new Date(),
    onProgress: progress.update,
  }).finally(progress.end);
  if (report.cacheDamaged) terminal.say("the cache was damaged, and is made anew");
  for (const line of describe(folder, report)) terminal.out(visible(line));
  terminal.say(`${report.packages} packages, ${report.releases} releases; read ${report.read} tarballs`);
}

function describe(folder: string, { created, updated, removed }: BuildReport): readonly string[] {
  const lines = (what: string, keys: readonly string[]) =>
    keys.map((key) => `* ${what} ${join(folder, key)}`);
  return [...lines("creating", created), ...lines("updating", updated), ...lines("removing", removed)];
}

function requireName(option: string, text: string): RepositoryName {
  const name = repositoryName(text);
  if (name !== undefined) return name;
  throw new SkepError(
    "usage",
    `${option} ${JSON.stringify(text)} cannot be a repository's name: letters a-z, digits, and _ - .`,
  );
}

/** @param given undefined: that of the folder, where there may be none */
async function readRetirements(folder: string, given: string | undefined): Promise<Retirements> {
  const file = given ?? join(folder, RETIREMENTS_FILE);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (given === undefined && (code === "ENOENT" || code === "ENOTDIR")) return new Map();
    throw new SkepError("usage", `the retirements cannot be read: ${message}`, { cause });
  }
  const retirements = parseRetirements(text);
  if (retirements instanceof Map) return retirements;
  throw new SkepError("usage", [`${file} cannot be used:`, ...(retirements as readonly string[])].join("\n"));
}

/** @throws SkepError `usage` also when one record cannot be read: clients would not be warned of it. */
async function readAdvisories(
  place: string | undefined,
): Promise<ReadonlyMap<PackageName, readonly PackageAdvisory[]>> {
  const byPackage = new Map<PackageName, PackageAdvisory[]>();
  if (place === undefined) return byPackage;
  const { advisories, problems } = await readFeed(place);
  if (problems.length > 0) throw new SkepError("usage", `advisories cannot be read:\n${problems.join("\n")}`);
  for (const { row, affected } of advisories.map(knownOf)) {
    if (row.withdrawnAt !== null) continue;
    for (const [name, ranges] of affected) {
      byPackage.set(name, [...(byPackage.get(name) ?? []), { ...row, package: name, affected: ranges }]);
    }
  }
  return byPackage;
}
