/** What a form for a new key offers, and what it asks the API for. */
import { isoMicros, micros } from "../schemas/time.ts";
import { Problems, problem } from "./problems.ts";
import type { Visit } from "./visit.ts";

const DAY_MICROS = 86_400_000_000;
/** In days, of those that do not live until they are revoked. */
export const LIFETIMES = [30, 90, 365] as const;

/** One of the things that a key may be for. */
export interface KeyPurpose {
  readonly value: string;
  readonly label: string;
  readonly hint: string;
  readonly permissions: readonly object[] | ((packageName: string) => readonly object[]);
}

interface KeyWishes {
  readonly name: string | null;
  readonly permissions: readonly object[];
  readonly revoke_at?: string;
}

/** Fields of the form by their names in the API's refusals. */
export const KEY_LABELS = {
  name: { label: "Name" },
  permissions: { label: "Package", field: "package" },
  revoke_at: { label: "End" },
};

/** @returns the wishes, or what is missing. */
export function keyWishes({ form, now }: Visit, purposes: readonly KeyPurpose[]): KeyWishes | Problems {
  const purpose = purposes.find(({ value }) => value === form.raw("access"));
  if (purpose === undefined) return problem("Choose what the key may do.");
  const permissions = permissionsOf(purpose, form.text("package"));
  if (permissions === undefined) return problem("Name the package that the key is for.", "package");
  const days = LIFETIMES.find((lifetime) => String(lifetime) === form.raw("days"));
  return {
    name: form.text("name") || null,
    permissions,
    ...(days === undefined ? {} : { revoke_at: isoMicros(micros(now + days * DAY_MICROS)) }),
  };
}

/** @returns undefined when it is for a package and none is named. */
function permissionsOf({ permissions }: KeyPurpose, packageName: string): readonly object[] | undefined {
  if (typeof permissions !== "function") return permissions;
  return packageName === "" ? undefined : permissions(packageName);
}

export function isIncomplete(wishes: KeyWishes | Problems): wishes is Problems {
  return wishes instanceof Problems;
}
