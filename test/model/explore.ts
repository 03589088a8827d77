/** Breadth-first search through all states of the model; what it finds first is the shortest way there. */
import { createHash } from "node:crypto";
import { broken, type Faults, initialState, type Protocol, type State, unconverged } from "./protocol.ts";

export interface Exploration {
  readonly states: number;
  /** Whether every state within the faults that were allowed was seen. */
  readonly complete: boolean;
  readonly fault: { readonly what: string; readonly trace: readonly string[] } | undefined;
}

interface Visit {
  readonly from: number;
  readonly move: string;
}

/** @param limit the number of states after which to stop */
export function explore(protocol: Protocol, faults: Faults, limit: number): Exploration {
  const start = initialState(faults);
  const seen = new Map([[digest(canonical(start)), 0]]);
  const visits: Visit[] = [{ from: -1, move: "" }];
  let frontier: (readonly [number, string])[] = [[0, canonical(start)]];
  const calm: (readonly number[])[] = [];
  const failure = (what: string, at: number): Exploration => {
    const trace: string[] = [];
    for (let visit = visits[at]; visit !== undefined && visit.from >= 0; visit = visits[visit.from])
      trace.unshift(visit.move);
    return { states: seen.size, complete: false, fault: { what, trace } };
  };
  while (frontier.length > 0) {
    const next: (readonly [number, string])[] = [];
    for (const [at, text] of frontier) {
      if (seen.size > limit) return { states: seen.size, complete: false, fault: undefined };
      const state = JSON.parse(text) as State;
      const wrong = broken(state);
      if (wrong !== undefined) return failure(wrong, at);
      const byItself: number[] = [];
      for (const move of protocol.moves(state)) {
        const key = canonical(move.next);
        const hash = digest(key);
        let id = seen.get(hash);
        if (id === undefined) {
          id = seen.size;
          seen.set(hash, id);
          visits.push({ from: at, move: move.name });
          next.push([id, key]);
        }
        if (move.calm) byItself.push(id);
      }
      calm[at] = byItself;
      if (byItself.length === 0) {
        const differs = unconverged(state);
        if (differs !== undefined) return failure(differs, at);
      }
    }
    frontier = next;
  }
  const loop = findLoop(calm);
  return loop === undefined
    ? { states: seen.size, complete: true, fault: undefined }
    : failure("I2: without any fault it never comes to rest", loop);
}

/** @returns a state from which the moves that happen by themselves lead back to it. */
function findLoop(successors: readonly (readonly number[])[]): number | undefined {
  const incoming = new Uint32Array(successors.length);
  for (const list of successors) for (const to of list) incoming[to] = (incoming[to] ?? 0) + 1;
  const open = [...successors.keys()].filter((state) => incoming[state] === 0);
  let left = successors.length;
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    left -= 1;
    for (const to of successors[state] ?? []) {
      const remaining = (incoming[to] ?? 0) - 1;
      incoming[to] = remaining;
      if (remaining === 0) open.push(to);
    }
  }
  return left === 0 ? undefined : incoming.findIndex((count) => count > 0);
}

/** Equal for states that differ only in the order of what has none. */
function canonical(state: State): string {
  const sorted = <T>(record: Record<string, T>) =>
    Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
  return JSON.stringify({
    ...state,
    rows: sorted(state.rows),
    books: sorted(state.books),
    bucket: sorted(state.bucket),
    deletions: sorted(state.deletions),
    intents: [...state.intents].sort((a, b) => a.generation - b.generation || (a.key < b.key ? -1 : 1)),
  });
}

function digest(text: string): string {
  return createHash("sha1").update(text).digest("base64");
}
