/**
 * Notices that whatever runs us has been killed. `npm start` is a chain of processes, which do not pass on the
 * signal that ends one of them, so that a service would go on unseen and keep its port.
 */
import { readFileSync } from "node:fs";

const MOST = 6;
const POLL_MILLISECONDS = 500;

/**
 * @param onGone told once
 * @returns ends the watch.
 */
export function watchAncestors(onGone: () => void): () => void {
  const watched = ancestorsToNpm();
  const direct = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === direct && watched.every(exists)) return;
    clearInterval(timer);
    onGone();
  }, POLL_MILLISECONDS);
  timer.unref();
  return () => clearInterval(timer);
}

/** @returns the processes between us and npm, npm included; none where that cannot be told. */
function ancestorsToNpm(): readonly number[] {
  const chain: number[] = [];
  for (let pid = process.ppid; pid > 1 && chain.length < MOST; ) {
    const found = lookAt(pid);
    if (found === undefined) return [];
    chain.push(pid);
    if (found.command.startsWith("npm")) return chain;
    pid = found.parent;
  }
  return [];
}

/** The command, second field of the file, is in parentheses and may hold any character. */
function lookAt(pid: number): { readonly command: string; readonly parent: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const end = stat.lastIndexOf(")");
    return {
      command: stat.slice(stat.indexOf("(") + 1, end),
      parent: Number(stat.slice(end + 2).split(" ")[1]),
    };
  } catch {
    return undefined;
  }
}

/** One that nobody has buried yet has ended as well. */
function exists(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return false;
  }
}
