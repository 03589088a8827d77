/** Reads every setting from the environment and the file that it may name. */
import { SkepError } from "../errors.ts";
import { parseEnvFile } from "./env-file.ts";
import { SETTING_NAMES, SETTINGS, type Setting, type SettingName, type Values } from "./settings.ts";
import { nearest } from "./suggest.ts";

/** Where settings come from. */
export interface Source {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** @throws when the file cannot be read. */
  readonly readFile: (path: string) => string;
}

export type Origin = "default" | "environment" | "file";

export interface Settings {
  readonly values: Values;
  /** Of what was given; what is not in here is a default. */
  readonly origins: ReadonlyMap<SettingName, Exclude<Origin, "default">>;
}

interface Given {
  readonly text: string;
  readonly origin: Exclude<Origin, "default">;
}

/** @throws SkepError `config_invalid` that tells every name that is no setting and every value that is malformed. */
export function readSettings(source: Source): Settings {
  const problems: string[] = [];
  const given = new Map<string, Given>();
  for (const [name, text] of readConfigFile(source, problems)) given.set(name, { text, origin: "file" });
  for (const [name, text] of Object.entries(source.environment)) {
    const ours = name.startsWith("SKEP_") || name in SETTINGS;
    // An empty variable is how compose files and unit files leave one out.
    if (ours && text) given.set(name, { text, origin: "environment" });
  }
  for (const name of given.keys()) if (!isSetting(name)) problems.push(unknownName(name));

  const origins = new Map<SettingName, Exclude<Origin, "default">>();
  const values: Record<string, unknown> = {};
  for (const name of SETTING_NAMES) {
    const own = given.get(name);
    if (own !== undefined) origins.set(name, own.origin);
    values[name] = parseSetting(name, own?.text, problems);
  }
  refuseProblems(problems);
  // Every name has been parsed by its own schema.
  return { values: values as Values, origins };
}

function isSetting(name: string): name is SettingName {
  return Object.hasOwn(SETTINGS, name);
}

function parseSetting(name: SettingName, given: string | undefined, problems: string[]): unknown {
  const { schema, fallback }: Setting = SETTINGS[name];
  const text = given ?? fallback;
  if (text === undefined) return undefined;
  const result = schema.safeParse(text);
  if (result.success) return result.data;
  for (const issue of result.error.issues) problems.push(`${name} ${issue.message}`);
  return undefined;
}

function readConfigFile(source: Source, problems: string[]): ReadonlyMap<string, string> {
  const path = source.environment.SKEP_CONFIG_FILE;
  if (!path) return new Map();
  try {
    const { values, problems: own } = parseEnvFile(source.readFile(path));
    problems.push(...own.map((problem) => `${path}: ${problem}`));
    if (values.has("SKEP_CONFIG_FILE")) problems.push(`${path}: a file cannot name another one`);
    return new Map([...values].filter(([name, value]) => name !== "SKEP_CONFIG_FILE" && value !== ""));
  } catch (error) {
    problems.push(
      `SKEP_CONFIG_FILE cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
    return new Map();
  }
}

function unknownName(name: string): string {
  const meant = nearest(name, SETTING_NAMES);
  return `${name} is not a setting${meant === undefined ? "" : `; did you mean ${meant}?`}`;
}

/** @throws SkepError `config_invalid` that tells every problem. */
export function refuseProblems(problems: readonly string[]): void {
  if (problems.length === 0) return;
  const list =
    problems.length === 1 ? ` ${problems[0]}` : problems.map((problem) => `\n  - ${problem}`).join("");
  throw new SkepError("config_invalid", `configuration:${list}`);
}
