/** Differences between store and database, for people and for programs. */
import type { Finding, FoundField } from "../generator/check/finding.ts";
import type { Terminal } from "./terminal.ts";
import { visible } from "./visible.ts";

export interface FindingPrinter {
  print(finding: Finding): void;
  /** Says how many were left out, if any. */
  end(): void;
}

/** Values longer than this are cut: a whole release may differ. */
const VALUE_LETTERS = 80;

/**
 * @param limit how many objects are printed
 * @param json one object a line
 */
export function findingPrinter(terminal: Terminal, limit: number, json: boolean): FindingPrinter {
  let found = 0;
  return {
    print(finding) {
      found += 1;
      if (found > limit) return;
      if (json) terminal.out(JSON.stringify(finding));
      else for (const line of findingLines(finding)) terminal.out(line);
    },
    end() {
      if (found > limit) terminal.say(`... and ${found - limit} more; --limit shows more of them`);
    },
  };
}

/** @returns one line for each field that differs, or one for the object. */
export function findingLines({ key, difference, fields, moreFields, pending }: Finding): readonly string[] {
  const tail = pending ? " (a build is pending)" : "";
  if (fields === undefined) return [visible(`${key}: ${difference}${tail}`)];
  const lines = fields.map((field) => `${key}: ${fieldText(field)}${tail}`);
  if (moreFields !== undefined) lines.push(`${key}: ${moreFields} more fields differ${tail}`);
  return lines.map(visible);
}

function fieldText(field: FoundField): string {
  const stored = "stored" in field ? `has ${valueText(field.stored)}` : "has nothing";
  const wanted = "wanted" in field ? `says ${valueText(field.wanted)}` : "says nothing";
  return `${field.field}: the store ${stored}, the database ${wanted}`;
}

function valueText(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > VALUE_LETTERS ? `${text.slice(0, VALUE_LETTERS)}...` : text;
}
