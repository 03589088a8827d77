/**
 * A model of the writing protocol (docs/design.md): two generators, one package with two versions, and every
 * step as one move of a state. What is to be written, and under which condition, is asked of the
 * generator's own pure functions; the database and the store are imitated.
 */
import type { DesiredObject } from "../../generator/build/objects.ts";
import type { CurrentObject } from "../../generator/write/metadata.ts";
import { planWrites } from "../../generator/write/plan.ts";
import { isOwnWrite, replacing } from "../../generator/write/put.ts";
import { packageName, type Sha256, trusted, version } from "../../hex/ids.ts";
import { HEADER_RULES_VERSION, parseObjectKey } from "../../hex/keys.ts";

/** The protocol's safeguards; each can be taken out. */
export interface Rules {
  readonly conditions: boolean;
  readonly intents: boolean;
  readonly fence: boolean;
  readonly tarballsFirst: boolean;
  readonly deletionGrace: boolean;
  readonly rechecks: boolean;
  readonly putBack: boolean;
  /** An intent that is opened again is looked at as often as a new one, whoever is looking meanwhile. */
  readonly freshLooks: boolean;
  /**
   * In place of the looks that the generator takes for a while at keys of which a request got no answer: no request
   * arrives after a later try of the same generator has succeeded.
   */
  readonly triesEnd: boolean;
}
export const RULES: Rules = {
  conditions: true,
  intents: true,
  fence: true,
  tarballsFirst: true,
  deletionGrace: true,
  rechecks: true,
  putBack: true,
  freshLooks: true,
  triesEnd: true,
};

/** A version with these bytes, or without any: it is taken back. */
export type DatabaseChange = readonly [version: string, bytes: string | null];

export interface Faults {
  readonly crashes: number;
  readonly takeovers: number;
  /** Requests without an answer, that arrive at once, later or never. */
  readonly unanswered: number;
}

interface StoredObject {
  readonly hash: string;
  readonly generation: number;
}
interface Request {
  readonly key: string;
  /** Null: a DELETE. */
  readonly hash: string | null;
  readonly generation: number;
  /** The ETag that has to stand there; null: none. */
  readonly expected: string | null;
}
interface Intent {
  readonly key: string;
  readonly generation: number;
  looks: number;
  due: boolean;
}
interface Change {
  readonly id: number;
  readonly look: boolean;
}
interface Snapshot {
  readonly revision: number;
  readonly rows: Record<string, string>;
  readonly changes: readonly Change[];
  readonly intents: readonly Intent[];
  readonly books: Record<string, StoredObject>;
}
interface Work {
  readonly adopt: readonly (readonly [string, string])[];
  readonly forget: readonly string[];
  readonly retire: readonly string[];
  readonly live: readonly string[];
  readonly announced: readonly string[];
  readonly requests: Request[];
  readonly written: (readonly [string, string])[];
  readonly removed: string[];
}
interface Generator {
  phase: "idle" | "ready" | "look" | "announce" | "write" | "record";
  generation: number;
  deleting: boolean;
  snapshot: Snapshot | null;
  work: Work | null;
}
export interface State {
  script: number;
  revision: number;
  rows: Record<string, string>;
  /** Versions that had other bytes once: for a moment a file names the earlier ones (I1's exception). */
  replaced: string[];
  changes: Change[];
  nextChange: number;
  generation: number;
  holder: number | null;
  intents: Intent[];
  books: Record<string, StoredObject>;
  /** Whether its grace is over. */
  deletions: Record<string, boolean>;
  bucket: Record<string, StoredObject>;
  network: Request[];
  generators: Generator[];
  faults: { crashes: number; takeovers: number; unanswered: number };
  /** Live tarballs that a stalled deleter removed: the next look puts them back. */
  lateDeletes: string[];
  violation: string | null;
}

export interface Move {
  readonly name: string;
  /** Neither a fault nor a change of the database: it happens by itself, some time. */
  readonly calm: boolean;
  readonly next: State;
}

const PEAR = trusted(packageName, "pear");
const INDEX = "versions";
const FILE = "packages/pear";
const tarballKey = (text: string) => `tarballs/pear-${text}.tar`;
const RECHECKS = 1;
const idle = (): Generator => ({
  phase: "idle",
  generation: 0,
  deleting: false,
  snapshot: null,
  work: null,
});

export function initialState(faults: Faults): State {
  return {
    script: 0,
    revision: 0,
    rows: {},
    replaced: [],
    changes: [],
    nextChange: 1,
    generation: 0,
    holder: null,
    intents: [],
    books: {},
    deletions: {},
    bucket: {},
    network: [],
    generators: [idle(), idle()],
    faults: { ...faults },
    lateDeletes: [],
    violation: null,
  };
}

/** Payloads are text: the revision, and the tarballs that they name. Their hash is the text itself. */
function desiredObjects(revision: number, rows: Record<string, string>): readonly DesiredObject[] {
  const releases = Object.entries(rows).sort();
  const object = (key: string, text: string, ofPackage: boolean, signed: boolean): DesiredObject => {
    const parsed = parseObjectKey(key);
    if (parsed === undefined) throw new Error(`no key of ours: ${key}`);
    return {
      key,
      object: parsed.object,
      package: ofPackage ? PEAR : null,
      payloadHash: text as Sha256,
      keyFingerprint: null,
      revision: signed ? revision : null,
      source: { kind: "sign", payload: new Uint8Array() },
    };
  };
  const named = releases.map(([text, bytes]) => `${text}=${bytes}`).join();
  const tarballs = releases.map(([text, bytes]) => object(tarballKey(text), bytes, true, false));
  const index = object(INDEX, `${revision}:${releases.map(([text]) => text).join()}`, false, true);
  return releases.length === 0
    ? [index]
    : [...tarballs, object(FILE, `${revision}:${named}`, true, true), index];
}

const revisionOf = (hash: string) => (hash.includes(":") ? Number(hash.split(":", 1)[0]) : undefined);
const current = ({ hash, generation }: StoredObject): CurrentObject => ({
  etag: hash,
  generation,
  payloadHash: hash as Sha256,
  headerVersion: HEADER_RULES_VERSION,
  keyFingerprint: null,
});

const isTarball = (key: string) => key.startsWith("tarballs/");

export class Protocol {
  readonly rules: Rules;
  readonly script: readonly DatabaseChange[];

  constructor(rules: Rules, script: readonly DatabaseChange[]) {
    this.rules = rules;
    this.script = script;
  }

  /** @returns every move that is possible. */
  moves(state: State): readonly Move[] {
    const moves: Move[] = [];
    const add = (name: string, calm: boolean, act: (next: State) => void) => {
      const next = JSON.parse(JSON.stringify(state)) as State;
      act(next);
      moves.push({ name, calm, next });
    };
    const [first] = state.network;
    if (first !== undefined) {
      add(`late request arrives: ${first.key}`, true, (next) => {
        next.network.shift();
        this.#apply(next, first);
      });
      add(`late request is lost: ${first.key}`, true, (next) => void next.network.shift());
    }
    state.generators.forEach((generator, who) => {
      this.#generatorMoves(state, generator, who, add);
    });
    // A request is under way for less time than the rechecks take, and those for less than a grace.
    const stalled = state.generators.some(
      ({ phase, generation }) => phase !== "idle" && generation !== state.generation,
    );
    // One that was stopped for longer is not killed between its next PUT and its noticing.
    const mayDie = stalled && state.faults.crashes > 0;
    for (const [at, intent] of state.intents.entries()) {
      const underWay = mayDie || state.network.some(({ key }) => key === intent.key);
      if (intent.due || underWay) continue;
      add(`recheck is due: ${intent.key}`, true, (next) => {
        const due = next.intents[at];
        if (due !== undefined) due.due = true;
      });
    }
    if (state.network.length === 0 && state.intents.length === 0 && !stalled) {
      for (const [key, due] of Object.entries(state.deletions)) {
        if (!due)
          add(`grace is over: ${key}`, true, (next) => Object.assign(next.deletions, { [key]: true }));
      }
    }
    const change = this.script[state.script];
    if (change !== undefined) {
      add(`database: ${change[0]} becomes ${change[1] ?? "nothing"}`, false, (next) => {
        const [text, bytes] = change;
        next.script += 1;
        next.revision += 1;
        const earlier = this.script
          .slice(0, state.script)
          .find(([each, was]) => each === text && was !== null);
        if (bytes !== null && earlier !== undefined && earlier[1] !== bytes) next.replaced.push(text);
        if (bytes === null) delete next.rows[text];
        else next.rows[text] = bytes;
        next.changes.push({ id: next.nextChange++, look: false });
      });
    }
    return moves;
  }

  #generatorMoves(
    state: State,
    generator: Generator,
    who: number,
    add: (name: string, calm: boolean, act: (next: State) => void) => void,
  ): void {
    const step = (name: string, act: (next: State, self: Generator) => void, calm = true) =>
      add(`generator ${who}: ${name}`, calm, (next) => {
        const self = next.generators[who];
        if (self !== undefined) act(next, self);
      });
    const openIntents = state.intents.filter((each) => each.due && each.generation < generator.generation);
    if (generator.phase === "idle") {
      const free = state.holder === null;
      if (!free && state.faults.takeovers === 0) return;
      // Which of two idle generators takes a free claim is the same.
      if (free && who === 1 && state.generators[0]?.phase === "idle") return;
      step(
        free ? "takes the claim" : "takes the claim over",
        (next, self) => {
          if (!free) next.faults.takeovers -= 1;
          next.generation += 1;
          next.holder = who;
          Object.assign(self, { ...idle(), phase: "ready", generation: next.generation });
        },
        free,
      );
      return;
    }
    if (state.faults.crashes > 0) {
      step(
        "is killed",
        (next, self) => {
          next.faults.crashes -= 1;
          Object.assign(self, idle());
          if (next.holder === who) next.holder = null;
        },
        false,
      );
    }
    if (generator.phase === "ready") {
      if (generator.generation !== state.generation) {
        step("finds its claim lost", (_, self) => void Object.assign(self, idle()));
        return;
      }
      if (state.changes.length > 0 || openIntents.length > 0) {
        step("reads a snapshot", (next, self) => {
          self.snapshot = {
            revision: next.revision,
            rows: next.rows,
            changes: next.changes,
            intents: openIntents,
            books: next.books,
          };
          self.phase = "look";
        });
      } else if (Object.values(state.deletions).includes(true)) {
        step("reads what is to be deleted", (next, self) => this.#planDeletions(next, self));
      }
    }
    if (generator.phase === "look") step("looks, and plans", (next, self) => this.#plan(next, self));
    if (generator.phase === "announce") {
      step("announces", (next, self) => {
        const { work } = self;
        if (work === null) return;
        if (self.generation !== next.generation) return void Object.assign(self, idle());
        if (self.deleting) for (const key of work.live) delete next.deletions[key];
        if (this.rules.intents) this.#open(next, self.generation, work.announced, false);
        self.phase = work.requests.length > 0 ? "write" : "record";
      });
    }
    if (generator.phase === "write") {
      const request = generator.work?.requests[0];
      if (request === undefined) return;
      const what = `${request.hash === null ? "DELETE" : "PUT"} ${request.key}`;
      step(what, (next, self) => this.#send(next, self, request, true));
      if (state.faults.unanswered > 0) {
        step(
          `${what}, arrived without an answer`,
          (next, self) => {
            next.faults.unanswered -= 1;
            this.#send(next, self, request, false);
          },
          false,
        );
        step(
          `${what}, under way for long`,
          (next, self) => {
            next.faults.unanswered -= 1;
            next.network.push(request);
            this.#lookAgain(next, self, request);
          },
          false,
        );
      }
    }
    if (generator.phase === "record") step("records", (next, self) => this.#record(next, self));
    if (generator.phase === "write" && generator.generation !== state.generation) {
      step("finds its claim lost", (next, self) => this.#lost(next, self));
    }
  }

  #plan(state: State, self: Generator): void {
    const { snapshot } = self;
    if (snapshot === null) return;
    const entries = (objects: Record<string, StoredObject>) =>
      Object.entries(objects).map(([key, object]) => [key, current(object)] as const);
    const recorded = new Map(entries(snapshot.books));
    const standing = new Map(recorded);
    const keys = new Set(snapshot.intents.map(({ key }) => key));
    if (snapshot.changes.some(({ look }) => look)) {
      for (const key of [INDEX, FILE, ...Object.keys(snapshot.books)]) keys.add(key);
      for (const text of Object.keys(snapshot.rows)) keys.add(tarballKey(text));
    }
    for (const key of keys) {
      const object = state.bucket[key];
      if (object === undefined) standing.delete(key);
      else standing.set(key, current(object));
    }
    const plan = planWrites({
      desired: desiredObjects(snapshot.revision, snapshot.rows),
      current: standing,
      recorded,
      isOwn: (name) => name === undefined,
      isLive: (_, text) => snapshot.rows[trusted(version, text)] !== undefined,
    });
    const { generation } = self;
    const newer = [...standing.values()].some((each) => (each.generation ?? 0) > generation);
    if (newer) return void Object.assign(self, idle());
    const puts = plan.puts.map(
      ({ desired, known }): Request => ({
        key: desired.key,
        hash: desired.payloadHash,
        generation,
        expected: this.#expected(known),
      }),
    );
    if (!this.rules.tarballsFirst) puts.sort((a, b) => Number(isTarball(a.key)) - Number(isTarball(b.key)));
    const remove = ({ key, known }: { key: string; known: CurrentObject }): Request => ({
      key,
      hash: null,
      generation,
      expected: this.#expected(known),
    });
    const hasty = this.rules.deletionGrace ? [] : plan.retire.map(remove);
    const requests = [...hasty, ...puts, ...plan.removals.map(remove)];
    self.work = {
      adopt: plan.adopt.map(({ desired, known }) => [desired.key, known.etag] as const),
      forget: plan.forget,
      retire: this.rules.deletionGrace ? plan.retire.map(({ key }) => key) : [],
      live: plan.live,
      announced: requests.map(({ key }) => key),
      requests,
      written: [],
      removed: [],
    };
    self.phase = "announce";
  }

  #planDeletions(state: State, self: Generator): void {
    const due = Object.keys(state.deletions).filter((key) => state.deletions[key]);
    const live = Object.keys(state.rows).map(tarballKey);
    const dead = due.filter((key) => !live.includes(key));
    self.deleting = true;
    self.phase = "announce";
    self.work = {
      adopt: [],
      forget: dead,
      retire: [],
      live,
      announced: dead,
      requests: dead.flatMap((key) => {
        const object = state.bucket[key];
        return object === undefined
          ? []
          : [{ key, hash: null, generation: self.generation, expected: this.#expected(current(object)) }];
      }),
      written: [],
      removed: dead,
    };
  }

  #expected(known: CurrentObject | undefined): string | null {
    const condition = replacing(known);
    return condition.kind === "match" ? condition.etag : null;
  }

  /** @returns whether the store took it. */
  #apply(state: State, request: Request): boolean {
    const { key, hash, generation, expected } = request;
    const standing = state.bucket[key];
    if (hash === null && standing === undefined) return true;
    if (this.rules.conditions && (standing?.hash ?? null) !== expected) return false;
    if (hash === null) {
      if (isTarball(key) && generation < state.generation) state.lateDeletes.push(key);
      delete state.bucket[key];
      return true;
    }
    if (standing !== undefined && (revisionOf(standing.hash) ?? 0) > (revisionOf(hash) ?? 0)) {
      state.violation = `I4: ${key} ${standing.hash} overwritten by the older ${hash}`;
    }
    state.bucket[key] = { hash, generation };
    state.lateDeletes = state.lateDeletes.filter((each) => each !== key);
    return true;
  }

  #send(state: State, self: Generator, request: Request, answered: boolean): void {
    if (this.#apply(state, request) && answered) this.#succeeded(state, self, request);
    else this.#lookAgain(state, self, request);
  }

  #succeeded(state: State, self: Generator, { key, hash, generation }: Request): void {
    // The code has the key looked at again; that is not followed here, and has a test against a real database.
    if (this.rules.triesEnd) {
      state.network = state.network.filter((each) => each.key !== key || each.generation !== generation);
    }
    self.work?.requests.shift();
    if (hash === null) self.work?.removed.push(key);
    else self.work?.written.push([key, hash]);
    if (self.work?.requests.length === 0) self.phase = "record";
  }

  /** The table of answers: ours, nothing, of an older generation, of a newer one. */
  #lookAgain(state: State, self: Generator, request: Request): void {
    const standing = state.bucket[request.key];
    const found = standing && current(standing);
    if (request.hash === null && found === undefined) {
      this.#succeeded(state, self, request);
      return;
    }
    if (
      request.hash !== null &&
      found !== undefined &&
      isOwnWrite(found, self, { payloadHash: request.hash as Sha256 })
    ) {
      this.#succeeded(state, self, request);
    } else if ((found?.generation ?? 0) > self.generation) this.#lost(state, self);
    else if (self.work !== null) self.work.requests[0] = { ...request, expected: this.#expected(found) };
  }

  #lost(state: State, self: Generator): void {
    if (this.rules.putBack && !self.deleting && self.work !== null) {
      this.#open(state, self.generation, self.work.announced, true);
      state.changes.push({ id: state.nextChange++, look: true });
    }
    Object.assign(self, idle());
  }

  #open(state: State, generation: number, keys: readonly string[], again: boolean): void {
    for (const key of keys) {
      const open = state.intents.find((each) => each.key === key && each.generation === generation);
      if (open === undefined) state.intents.push({ key, generation, looks: 0, due: true });
      else {
        open.due = true;
        if (again && this.rules.freshLooks) open.looks = 0;
      }
    }
  }

  #record(state: State, self: Generator): void {
    const { work, snapshot, generation } = self;
    if (work === null) return;
    if (this.rules.fence && generation !== state.generation) {
      this.#lost(state, self);
      return;
    }
    for (const [key, hash] of [...work.adopt, ...work.written]) state.books[key] = { hash, generation };
    for (const key of [...work.removed, ...work.forget]) delete state.books[key];
    if (self.deleting) for (const key of work.forget) delete state.deletions[key];
    else {
      for (const key of work.live) delete state.deletions[key];
      for (const key of work.retire) state.deletions[key] ??= false;
    }
    const done = new Set(snapshot?.changes.map(({ id }) => id));
    state.changes = state.changes.filter(({ id }) => !done.has(id));
    state.intents = state.intents.filter((each) => each.generation !== generation);
    for (const looked of snapshot?.intents ?? []) {
      const intent = state.intents.find(
        (each) => each.key === looked.key && each.generation === looked.generation,
      );
      if (intent === undefined) continue;
      if (this.rules.freshLooks && intent.looks !== looked.looks) continue;
      if (looked.looks < RECHECKS && this.rules.rechecks) {
        Object.assign(intent, { looks: intent.looks + 1, due: false });
      } else state.intents.splice(state.intents.indexOf(intent), 1);
    }
    Object.assign(self, { ...idle(), phase: "ready", generation });
  }
}

/** @returns what is wrong with this state; undefined: nothing. */
export function broken(state: State): string | undefined {
  if (state.violation !== null) return state.violation;
  const file = state.bucket[FILE]?.hash.split(":")[1] ?? "";
  for (const named of file === "" ? [] : file.split(",")) {
    const [text = "", bytes] = named.split("=");
    const key = tarballKey(text);
    if (state.lateDeletes.includes(key)) continue;
    const found = state.bucket[key]?.hash;
    if (found === undefined) return `I1: ${FILE} names ${key}, which is not there`;
    if (found !== bytes && !state.replaced.includes(text)) return `I1: ${key} has other bytes`;
  }
  return undefined;
}

/** @returns how the store differs from what the database says; undefined: not at all (I2). */
export function unconverged(state: State): string | undefined {
  // Before anything was published there is nothing to build.
  if (state.script === 0) return undefined;
  const wanted = new Map(
    desiredObjects(state.revision, state.rows).map(({ key, payloadHash }) => [key, payloadHash as string]),
  );
  for (const key of new Set([...wanted.keys(), ...Object.keys(state.bucket), ...Object.keys(state.books)])) {
    const found = state.bucket[key]?.hash;
    if (found !== wanted.get(key)) return `I2: ${key} is ${found}, should be ${wanted.get(key)}`;
    if (state.books[key]?.hash !== found) return `I2: ${key} is ${found}, recorded ${state.books[key]?.hash}`;
  }
  return undefined;
}
