/** The configuration file: `NAME=VALUE` lines, as service managers and containers read them. */

export interface EnvFile {
  readonly values: ReadonlyMap<string, string>;
  /** In words, with the line's number. Never with a value, which may be a secret. */
  readonly problems: readonly string[];
}

/**
 * Blank lines and lines that begin with `#` are nothing. A value ends with its line; spaces around it do not
 * count. In double quotes `\"`, `\\` and `\n` stand for themselves and a line end; in single quotes nothing
 * has a meaning. Nothing is expanded.
 */
export function parseEnvFile(text: string): EnvFile {
  const values = new Map<string, string>();
  const problems: string[] = [];
  for (const [index, line] of text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .entries()) {
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name = "", raw = ""] = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$/.exec(line) ?? [];
    const value = unquote(raw.trim());
    const where = `line ${index + 1}`;
    if (name === "") problems.push(`${where} is not NAME=VALUE`);
    else if (value === undefined) problems.push(`${where}: the quotes of ${name} do not match`);
    else if (values.has(name)) problems.push(`${where}: ${name} is given a second time`);
    else values.set(name, value);
  }
  return { values, problems };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", '"': '"', "\\": "\\" };

/** @returns undefined when a quote is opened and not closed, or closed too early. */
function unquote(text: string): string | undefined {
  const single = /^'([^']*)'$/.exec(text)?.[1];
  if (single !== undefined) return single;
  const double = /^"((?:[^"\\]|\\.)*)"$/.exec(text)?.[1];
  if (double !== undefined)
    return double.replace(/\\(.)/g, (whole, letter: string) => ESCAPES[letter] ?? whole);
  return /^["']/.test(text) ? undefined : text;
}
