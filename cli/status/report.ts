/** What `skep status` finds out, and what of it is amiss. */
import { isoMicros, type Micros } from "../../schemas/time.ts";
import type { SampleFinding } from "../../store/queries/findings.ts";
import type { ChangeQueue, MailQueue, PurgeQueue } from "../../store/queries/queues.ts";
import type { ClaimRow, Lag, LastDone } from "../../store/queries/status.ts";
import type { ObjectsSeen } from "./objects.ts";

export interface ReadOnlyNow {
  readonly message: string | null;
  /** Null where that is not known. */
  readonly since: Micros | null;
}

/** Each is undefined where it could not be found out; `unchecked` then says why. */
export interface Status {
  readonly lag: Lag | undefined;
  readonly changes: ChangeQueue | undefined;
  readonly last: LastDone | undefined;
  readonly purges: PurgeQueue | undefined;
  readonly claims: readonly ClaimRow[] | undefined;
  readonly mails: MailQueue | undefined;
  /** Tarballs and docs whose bytes are lost. */
  readonly held: number | undefined;
  /** Of the sampler, of the last day. */
  readonly findings: readonly SampleFinding[] | undefined;
  readonly objects: ObjectsSeen | undefined;
  /** Null: changes are welcome. */
  readonly readOnly: ReadOnlyNow | null | undefined;
  /** `WHAT: REASON` each. */
  readonly unchecked: readonly string[];
}

const SHOWN_CLAIMS = 10;

/**
 * @param mostSeconds how long a change or a purge may wait
 * @returns what somebody should look after, one line each; empty when all is well.
 */
export function problemsOf(status: Status, mostSeconds: number): readonly string[] {
  const { changes, purges, claims, held, objects } = status;
  const problems: string[] = [];
  if (changes !== undefined && changes.oldestSeconds > mostSeconds) {
    problems.push(`the oldest change has waited for ${duration(changes.oldestSeconds)}`);
    if (claims !== undefined && !claims.some(isHeld)) problems.push("no generator holds a claim");
  }
  if (purges !== undefined && purges.oldestSeconds > mostSeconds) {
    problems.push(`the oldest purge has waited for ${duration(purges.oldestSeconds)}`);
  }
  if (held !== undefined && held > 0) {
    problems.push(`the private store has lost the bytes of ${held} tarballs or docs, which no file names`);
  }
  for (const { key, place } of objects?.stale ?? []) {
    problems.push(
      place === "store"
        ? `${key}: the store holds another object than is recorded`
        : `${key}: clients get another object than is recorded`,
    );
  }
  return problems;
}

function isHeld({ leaseSeconds }: ClaimRow): boolean {
  return leaseSeconds !== null && leaseSeconds > 0;
}

/** @returns the lines for people. */
export function describe(status: Status, problems: readonly string[]): readonly string[] {
  const { lag, changes, last, purges, claims, mails, findings, objects, readOnly, unchecked } = status;
  const lines: string[] = [];
  const line = (name: string, text: string) => lines.push(`${`${name}:`.padEnd(14)}${text}`);
  if (lag !== undefined) line("lag", lagText(lag));
  if (changes !== undefined) line("changes", changesText(changes));
  if (last !== undefined) {
    line("last build", ago(last.builtSecondsAgo));
    line("last visible", ago(last.visibleSecondsAgo));
  }
  if (purges !== undefined) {
    const waiting =
      purges.pending === 0 ? "none pending" : `${purges.pending} pending, ${purges.failing} failing`;
    line("purges", `${waiting}${oldest(purges.oldestSeconds)}`);
  }
  if (claims !== undefined) for (const text of claimTexts(claims)) line("claim", text);
  if (mails !== undefined) {
    line("mails", `${mails.pending} pending, ${mails.failed} given up${oldest(mails.oldestSeconds)}`);
  }
  if (readOnly !== undefined) line("read-only", readOnly === null ? "off" : readOnlyText(readOnly));
  if (objects !== undefined) line("objects", objectsText(objects));
  if (findings !== undefined) {
    line("sampler", findings.length === 0 ? "found nothing amiss for a day" : "found lately:");
    for (const { key, place, foundAt } of findings) {
      lines.push(`  ${isoMicros(foundAt)} ${key} (${place})`);
    }
  }
  for (const reason of unchecked) line("not checked", reason);
  for (const problem of problems) line("PROBLEM", problem);
  return lines;
}

function lagText({ changes, medianSeconds, p99Seconds }: Lag): string {
  if (medianSeconds === null || p99Seconds === null) return "nothing was changed in the last hour";
  const median = duration(medianSeconds);
  return `median ${median}, 99% within ${duration(p99Seconds)} (${changes} changes in the last hour)`;
}

function changesText({ pending, putOff, oldestSeconds }: ChangeQueue): string {
  if (pending === 0) return "none pending";
  const put = putOff === 0 ? "" : `, ${putOff} of them put off, as their bytes are lost`;
  return `${pending} pending${put}${oldest(oldestSeconds)}`;
}

/** @returns a line each for those that somebody holds, or held, and one for all that are free. */
function claimTexts(claims: readonly ClaimRow[]): readonly string[] {
  const taken = claims.filter(({ holder }) => holder !== null);
  const free = claims.length - taken.length;
  const more = taken.length - SHOWN_CLAIMS;
  return [
    ...taken.slice(0, SHOWN_CLAIMS).map(claimText),
    ...(more > 0 ? [`${more} more`] : []),
    ...(free > 0 || taken.length === 0 ? [`${free} without a holder`] : []),
  ];
}

function claimText(claim: ClaimRow): string {
  const { repository, generation, holder } = claim;
  const leaseSeconds = claim.leaseSeconds ?? 0;
  const lease = isHeld(claim)
    ? `for ${duration(leaseSeconds)} more`
    : `ran out ${duration(-leaseSeconds)} ago`;
  return `${repository}: ${holder}, generation ${generation}, ${lease}`;
}

function readOnlyText({ message, since }: ReadOnlyNow): string {
  return `on${since === null ? "" : ` since ${isoMicros(since)}`}${message === null ? "" : `: ${message}`}`;
}

function objectsText({ stored, served, stale }: ObjectsSeen): string {
  const counts = `${stored} looked at in the store, ${served} of them as clients get them`;
  return `${counts}; ${stale.length === 0 ? "all as recorded" : `${stale.length} not as recorded`}`;
}

function oldest(seconds: number): string {
  return seconds === 0 ? "" : `, the oldest for ${duration(seconds)}`;
}

function ago(seconds: number | null): string {
  return seconds === null ? "never" : `${duration(seconds)} ago`;
}

/** @returns as people say it, to two figures or so. */
export function duration(seconds: number): string {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 120) return `${Number(seconds.toPrecision(2))} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3_600)} h` : `${Math.round(seconds / 86_400)} days`;
}
