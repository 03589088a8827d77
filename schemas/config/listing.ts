/** The settings in force, for people: what each is, and where that came from. */
import { derivedSettings } from "./config.ts";
import { type Origin, readSettings, type Source } from "./read.ts";
import { Secret } from "./secret.ts";
import { SETTING_NAMES, SETTINGS, type Setting, type SettingName } from "./settings.ts";

export interface Listed {
  readonly name: SettingName;
  /** Never a secret. Undefined: not set, and nothing stands in for it. */
  readonly value: string | undefined;
  readonly origin: Origin;
  readonly help: string;
}

/** @throws SkepError `config_invalid` for unknown names and malformed values. */
export function listSettings(source: Source): readonly Listed[] {
  const { values, origins } = readSettings(source);
  const derived = derivedSettings(values);
  return SETTING_NAMES.map((name) => {
    const { help, otherwise }: Setting = SETTINGS[name];
    const own = values[name];
    const value = own === undefined ? (derived[name] ?? otherwise?.replaceAll("`", "")) : shown(own);
    return { name, value, origin: origins.get(name) ?? "default", help };
  });
}

function shown(value: unknown): string {
  if (value instanceof Secret) return String(value);
  if (typeof value === "boolean") return value ? "on" : "off";
  if (Array.isArray(value)) return value.join(",") || "none";
  if (typeof value !== "object" || value === null) return String(value);
  const place = value as {
    readonly kind: string;
    readonly path?: string;
    readonly url?: string;
    readonly bucket?: string;
    readonly prefix?: string;
  };
  if (place.kind === "url") return place.url ?? "";
  if (place.kind === "file") return place.path ?? "";
  return place.kind === "folder" ? `folder:${place.path}` : `s3://${place.bucket}/${place.prefix}`;
}
