/**
 * One of Fastly's caches, with our VCL in it: the states that a request goes through, as
 * https://www.fastly.com/documentation/reference/vcl/subroutines/ describes them, and what is kept between two.
 */
import type { FastlyVcl, Outcome, Value, Variables } from "./fastly-vcl.ts";

export interface Message {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Asked {
  readonly backend: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface FastlyCacheSetup {
  readonly vcl: FastlyVcl;
  /** The backend that the macros choose: `F_bucket`, or its shield. */
  readonly backend: string;
  /** 0 for the cache that the client speaks to, 1 for its shield. */
  readonly visits: number;
  readonly now: () => Date;
  /** What a backend answers. */
  readonly ask: (asked: Asked) => Message;
}

interface Kept extends Message {
  readonly seconds: number;
  readonly expired: boolean;
  /** Kept as a mark that such requests are passed. */
  readonly pass: boolean;
}

type State = Map<string, Value>;

export class FastlyCache {
  readonly #setup: FastlyCacheSetup;
  readonly #kept = new Map<string, Kept>();

  constructor(setup: FastlyCacheSetup) {
    this.#setup = setup;
  }

  purgeAll(): void {
    this.#kept.clear();
  }

  /** @returns for how long the object is kept; undefined when it is not. */
  keptSeconds(path: string): number | undefined {
    return this.#kept.get(path)?.seconds;
  }

  /** All that is kept has been kept for as long as it may be. */
  expire(): void {
    for (const [key, kept] of this.#kept) this.#kept.set(key, { ...kept, expired: true });
  }

  request(method: string, path: string, headers: Readonly<Record<string, string>> = {}): Message {
    const state: State = new Map<string, Value>([
      ["req.method", method],
      ["req.url", path],
      ["req.backend", this.#setup.backend],
      ["req.hash", ""],
      ["fastly.ff.visits_this_service", this.#setup.visits],
      ["stale.exists", false],
      ["now", this.#setup.now().toISOString()],
      ["fastly_info.state", "MISS"],
    ]);
    copyInto(state, "req.http.", headers);
    return this.#received(state, this.#run("vcl_recv", state));
  }

  #run(name: string, state: State): Outcome {
    const variables: Variables = {
      get: (variable) => state.get(variable.toLowerCase()) ?? (variable.startsWith("F_") ? variable : null),
      set: (variable, value) => void state.set(variable.toLowerCase(), value),
    };
    return this.#setup.vcl.run(name, variables);
  }

  #received(state: State, outcome: Outcome): Message {
    if (outcome.kind === "error") return this.#failed(state, outcome);
    if (outcome.state === "pass") return this.#passed(state);
    expectState(outcome, "lookup");
    this.#run("vcl_hash", state);
    const kept = this.#kept.get(String(state.get("req.hash")));
    if (kept?.pass) return this.#passed(state);
    if (kept === undefined || kept.expired) {
      state.set("stale.exists", kept !== undefined);
      return this.#fetched(state, "vcl_miss");
    }
    copyMessage(state, "obj", kept);
    state.set("obj.cacheable", true);
    state.set("fastly_info.state", "HIT");
    expectState(this.#run("vcl_hit", state), "deliver");
    return this.#delivered(state, kept);
  }

  #passed(state: State): Message {
    state.set("fastly_info.state", "PASS");
    return this.#fetched(state, "vcl_pass");
  }

  #fetched(state: State, sub: "vcl_miss" | "vcl_pass"): Message {
    const isMiss = sub === "vcl_miss";
    // What is to be kept is asked for whole.
    state.set("bereq.method", isMiss ? "GET" : (state.get("req.method") ?? null));
    state.set("bereq.url", state.get("req.url") ?? null);
    copyInto(state, "bereq.http.", headersOf(state, "req.http."));
    expectState(this.#run(sub, state), isMiss ? "fetch" : "pass");
    const message = this.#setup.ask({
      backend: String(state.get("req.backend")),
      method: String(state.get("bereq.method")),
      path: String(state.get("bereq.url")),
      headers: headersOf(state, "bereq.http."),
    });
    copyMessage(state, "beresp", message);
    const outcome = this.#run("vcl_fetch", state);
    if (outcome.kind === "error") return this.#failed(state, outcome);
    if (outcome.state === "deliver_stale") return this.#stale(state);
    const fetched = {
      status: Number(state.get("beresp.status")),
      headers: headersOf(state, "beresp.http."),
      body: message.body,
    };
    if (isMiss) {
      const pass = outcome.state === "pass";
      if (!pass) expectState(outcome, "deliver");
      const seconds = Number(state.get("beresp.ttl"));
      if (seconds > 0)
        this.#kept.set(String(state.get("req.hash")), { ...fetched, seconds, pass, expired: false });
    }
    return this.#delivered(state, fetched);
  }

  #stale(state: State): Message {
    const kept = this.#kept.get(String(state.get("req.hash")));
    if (kept === undefined) throw new Error("there is nothing stale");
    state.set("fastly_info.state", "HIT-STALE");
    return this.#delivered(state, kept);
  }

  #failed(state: State, { status, text }: Extract<Outcome, { kind: "error" }>): Message {
    state.set("obj.status", status);
    state.set("obj.response", text);
    state.set("fastly_info.state", "ERROR");
    const outcome = this.#run("vcl_error", state);
    if (outcome.kind === "return" && outcome.state === "deliver_stale") return this.#stale(state);
    return this.#delivered(state, {
      status: Number(state.get("obj.status")),
      headers: headersOf(state, "obj.http."),
      body: String(state.get("synthetic") ?? ""),
    });
  }

  #delivered(state: State, message: Message): Message {
    copyMessage(state, "resp", message);
    expectState(this.#run("vcl_deliver", state), "deliver");
    const { body } = message;
    return { status: Number(state.get("resp.status")), headers: headersOf(state, "resp.http."), body };
  }
}

function expectState(outcome: Outcome, wanted: string): void {
  if (outcome.kind !== "return" || outcome.state !== wanted)
    throw new Error(`not ${wanted}, but ${JSON.stringify(outcome)}`);
}

function copyInto(state: State, prefix: string, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) state.set(prefix + name.toLowerCase(), value);
}

function copyMessage(state: State, kind: "obj" | "beresp" | "resp", message: Message): void {
  state.set(`${kind}.status`, message.status);
  copyInto(state, `${kind}.http.`, message.headers);
}

function headersOf(state: State, prefix: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of state)
    if (name.startsWith(prefix) && value !== null) found[name.slice(prefix.length)] = String(value);
  return found;
}
