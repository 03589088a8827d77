/** How an object differs from what it should be. */
import { type FieldDifference, pathText, plain } from "../../proto/compare/difference.ts";

export type Difference =
  | "missing" // not there
  | "other payload" // built from other rows, or not by us
  | "bad signature" // not signed with our key
  | "other bytes" // a tarball or docs that are not what was accepted
  | "other headers" // stored under an older version of the header rules
  | "stray" // nothing in the database stands behind it
  | "bytes lost"; // the private store cannot give what a row refers to

/** A field of a registry file that differs, as JSON shows it. */
export interface FoundField {
  /** For example `releases[1.2.0].retired`. */
  readonly field: string;
  /** What the store holds; absent: nothing. */
  readonly stored?: unknown;
  /** What the database says; absent: nothing. */
  readonly wanted?: unknown;
}

export interface Finding {
  readonly key: string;
  readonly difference: Difference;
  /** The first of them; absent where the object is no registry file or cannot be read. */
  readonly fields?: readonly FoundField[];
  /** How many more fields differ. */
  readonly moreFields?: number;
  /** A build is to come that will mend it. */
  readonly pending?: true;
}

/** More of one file help nobody, and an index may differ in every package. */
const FIELDS_SHOWN = 20;

/** @returns the first fields, to be spread; nothing when no field differs. */
export function foundFields(differences: Iterable<FieldDifference>): Pick<Finding, "fields" | "moreFields"> {
  const fields: FoundField[] = [];
  let more = 0;
  for (const { path, stored, wanted } of differences) {
    if (fields.length >= FIELDS_SHOWN) {
      more += 1;
      continue;
    }
    fields.push({
      field: pathText(path),
      ...(stored === undefined ? {} : { stored: plain(stored) }),
      ...(wanted === undefined ? {} : { wanted: plain(wanted) }),
    });
  }
  return { ...(fields.length > 0 ? { fields } : {}), ...(more > 0 ? { moreFields: more } : {}) };
}
