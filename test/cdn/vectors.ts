/** The behaviour that every CDN's configuration has in common, as a table that is run on each. */
import { readFileSync } from "node:fs";
import { expect } from "vitest";

type Headers = Readonly<Record<string, string>>;

export interface Vector {
  readonly rule: string;
  readonly request: { readonly method?: string; readonly path: string; readonly headers?: Headers };
  /** What whoever is asked answers; 200 unless told otherwise. */
  readonly origin?: { readonly status?: number; readonly headers?: Headers };
  readonly expect: {
    /** Who is asked: the public bucket, `skep edge`, or nobody. */
    readonly asks: "bucket" | "edge" | null;
    readonly status: number;
    /** Whether the second of two such requests is answered without asking. */
    readonly kept?: boolean;
    /** Of the answer; then those that it must not have. */
    readonly headers?: Headers;
    readonly without?: readonly string[];
    /** Of what is asked: path, headers, those that it must not have, and what no header may hold. */
    readonly sentPath?: string;
    readonly sent?: Headers;
    readonly unsent?: readonly string[];
    readonly unsentValues?: readonly string[];
  };
}

export const VECTORS = JSON.parse(
  readFileSync(new URL("vectors.json", import.meta.url), "utf8"),
) as readonly Vector[];

/** One request, as the cache answered it and as it asked for it. */
export interface Observed {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly asked: readonly {
    readonly whom: "bucket" | "edge";
    readonly path: string;
    readonly headers: Readonly<Record<string, unknown>>;
  }[];
}

/** @param first and `second`: of two requests one after another */
export function expectVector({ expect: wanted }: Vector, first: Observed, second: Observed): void {
  expect(first.status).toBe(wanted.status);
  expect(first.headers).toMatchObject(wanted.headers ?? {});
  for (const name of wanted.without ?? []) expect(first.headers).not.toHaveProperty(name);
  for (const name of wanted.without ?? []) expect(second.headers).not.toHaveProperty(name);
  expect(first.asked.map(({ whom }) => whom)).toEqual(wanted.asks === null ? [] : [wanted.asks]);
  expect(second.asked).toHaveLength(wanted.asks === null || wanted.kept ? 0 : 1);
  for (const { path, headers } of first.asked) {
    if (wanted.sentPath !== undefined) expect(path).toBe(wanted.sentPath);
    expect(headers).toMatchObject(wanted.sent ?? {});
    for (const name of wanted.unsent ?? []) expect(headers).not.toHaveProperty(name);
    for (const value of wanted.unsentValues ?? []) expect(Object.values(headers)).not.toContain(value);
  }
}
