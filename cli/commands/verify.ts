import { Command, InvalidArgumentError } from "commander";
import type { Finding, Report } from "../../mirror/report.ts";
import { verifyRepository } from "../../mirror/verify.ts";
import { SkepError } from "../../schemas/errors.ts";
import type { Context } from "../context.ts";
import { EXIT_HELP } from "../exit-codes.ts";
import { openProgress } from "../progress.ts";
import { openSource, readPublicKeyFile } from "../repository-source.ts";
import { visible } from "../visible.ts";

interface VerifyFlags {
  readonly publicKey?: string;
  readonly repository?: string;
  readonly json?: boolean;
  readonly tarballs: boolean;
  readonly concurrency?: number;
  readonly strict?: boolean;
}

export function verifyCommand(context: Context): Command {
  return new Command("verify")
    .description("read a repository as a client would, and name each file and check that fails")
    .argument("<url-or-folder>", "a repository's URL, as clients have it, or a folder that holds its files")
    .option("--public-key <file>", "the key to trust, PEM (default: the repository's own public_key)")
    .option("--repository <name>", "its name, as clients have it (default: what its files say)")
    .option("--no-tarballs", "leave the tarballs unread")
    .option("--concurrency <n>", "files read at a time (default: 8)", positive)
    .option("--strict", "warnings count as well")
    .option("--json", "print one JSON object a line, the last one sums up")
    .addHelpText(
      "after",
      `
Needs no configuration and no database. Also for repositories that skep did not make.

Examples:
  skep verify http://localhost:4000/repo
  skep verify /srv/mirror --public-key hexpm.pem --repository hexpm
${EXIT_HELP}`,
    )
    .action((place: string, flags: VerifyFlags) => verify(context, place, flags));
}

export function positive(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("must be a whole number above 0");
}

async function verify({ terminal }: Context, place: string, flags: VerifyFlags): Promise<void> {
  const source = await openSource(place);
  const publicKeyPem = flags.publicKey === undefined ? undefined : await readPublicKeyFile(flags.publicKey);
  const progress = openProgress(terminal, "verifying", "packages");
  const report = await verifyRepository(source, {
    ...(publicKeyPem === undefined ? {} : { publicKeyPem }),
    ...(flags.repository === undefined ? {} : { repositoryName: flags.repository }),
    ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
    tarballs: flags.tarballs,
    onProgress: progress.update,
  }).finally(progress.end);
  print(terminal, report, flags);
  const failing = report.findings.filter(({ severity }) => flags.strict || severity === "error");
  if (failing.length > 0) {
    throw new SkepError("verification_failed", `${source.description}: ${failing.length} checks failed`);
  }
}

function print(terminal: Context["terminal"], report: Report, flags: VerifyFlags): void {
  const { findings, ...counts } = report;
  for (const finding of findings) terminal.out(flags.json ? JSON.stringify(finding) : describe(finding));
  if (flags.json) terminal.out(JSON.stringify(counts));
  else {
    const { files, packages, releases, bytes } = counts;
    terminal.say(`read ${files} files, ${bytes} bytes: ${packages} packages, ${releases} releases`);
  }
}

function describe({ key, check, severity, message }: Finding): string {
  return visible(`${severity} ${key}: ${check}: ${message}`);
}
