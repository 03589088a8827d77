/**
 * Names a process so that another one, later, can tell whether it still runs. A process id alone does not
 * do: it is given again, and means another process in another container.
 */
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** What is known of a process that was named by {@link processIdentity}, perhaps long ago. */
export type Liveness = "alive" | "dead" | "unknown";

let own: string | undefined;

/** @returns `PID.START.PLACE`, the same for the whole life of this process; no `/` and no space in it. */
export function processIdentity(): string {
  own ??= [process.pid, startTime(process.pid) ?? "", place()].join(".");
  return own;
}

/**
 * Says `dead` only of what can never run again. Where the place is another one (the machine was restarted,
 * the process is in another container or on another machine), nothing is known.
 */
export function liveness(identity: string): Liveness {
  const [, pid, start, where] = /^(\d{1,10})\.(\d*)\.([\w:-]+)$/.exec(identity) ?? [];
  if (where !== place()) return "unknown";
  if (!exists(Number(pid))) return "dead";
  const found = startTime(Number(pid));
  // /proc may hide the processes of other users, and other systems have none.
  if (found === undefined || start === "") return "unknown";
  return found === start ? "alive" : "dead";
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}

/** @returns clock ticks after boot; undefined where it cannot be read, "0" for one that has ended. */
function startTime(pid: number): string | undefined {
  const stat = readText(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  if (stat === undefined) return undefined;
  // The command, second field, is in parentheses and may hold any character.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie has ended, though nobody has asked for its status yet.
  return fields[0] === "Z" || fields[0] === "X" ? "0" : fields[19];
}

/** One boot of one machine and one namespace of process ids. */
function place(): string {
  const boot = readText(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim());
  const namespace = readText(() => readlinkSync("/proc/self/ns/pid"));
  const text = boot === undefined || namespace === undefined ? hostname() : `${boot}:${namespace}`;
  return text.replace(/[^\w:-]/g, "");
}

function readText(read: () => string): string | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
