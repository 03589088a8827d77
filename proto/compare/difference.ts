/**
 * Two plain values compared field by field. Lists whose items have a name of their own come as maps, so that
 * one item more does not make all behind it differ.
 */

/** One step into a message: a field, or the item of a list by its own name (a version, a package). */
export type Step = { readonly field: string } | { readonly item: string };

/** A value as messages hold it; maps stand for lists whose items have names. */
export type Value =
  | string
  | number
  | boolean
  | readonly Value[]
  | ReadonlyMap<string, Value>
  | { readonly [field: string]: Value | undefined };

/** A field that differs. Of two values at least one is there. */
export interface FieldDifference {
  readonly path: readonly Step[];
  /** What the store holds; undefined: nothing. */
  readonly stored: Value | undefined;
  /** What it should hold; undefined: nothing. */
  readonly wanted: Value | undefined;
}

/** @returns the differences, the deepest field that differs of each; lazily, in the order of the fields. */
export function* differences(
  stored: Value | undefined,
  wanted: Value | undefined,
  path: readonly Step[] = [],
): Generator<FieldDifference> {
  if (stored instanceof Map && wanted instanceof Map) {
    for (const item of new Set([...stored.keys(), ...wanted.keys()])) {
      yield* differences(stored.get(item), wanted.get(item), [...path, { item }]);
    }
  } else if (isRecord(stored) && isRecord(wanted)) {
    for (const field of new Set([...Object.keys(stored), ...Object.keys(wanted)])) {
      yield* differences(stored[field], wanted[field], [...path, { field }]);
    }
  } else if (JSON.stringify(plain(stored)) !== JSON.stringify(plain(wanted))) {
    yield { path, stored, wanted };
  }
}

function isRecord(value: Value | undefined): value is { readonly [field: string]: Value | undefined } {
  return typeof value === "object" && value !== null && !(value instanceof Map) && !Array.isArray(value);
}

/** @returns the path as people write it: `releases[1.2.0].retired`. */
export function pathText(path: readonly Step[]): string {
  return path.reduce((text, step) => {
    if ("item" in step) return `${text}[${step.item}]`;
    return text === "" ? step.field : `${text}.${step.field}`;
  }, "");
}

/** @returns the value as JSON knows it, maps as objects. */
export function plain(value: Value | undefined): unknown {
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, inner]) => [key, plain(inner)]));
  }
  if (Array.isArray(value)) return value.map(plain);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}
