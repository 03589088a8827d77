/** A Sentry DSN: `https://PUBLIC_KEY@HOST[:PORT][/PATH]/PROJECT_ID` (Sentry's SDK documentation, "Parsing the DSN"). */

export interface DsnParts {
  /** Where envelopes are posted to; without the key. */
  readonly endpoint: string;
  readonly publicKey: string;
}

/** @returns undefined for anything else, also for the old form that has a secret key. */
export function dsnParts(text: string): DsnParts | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined;
  if (url.password !== "" || url.search !== "" || url.hash !== "") return undefined;
  const [, path = "", project] = /^(.*)\/(\d+)\/?$/.exec(url.pathname) ?? [];
  if (project === undefined || !/^[\w-]+$/.test(url.username)) return undefined;
  return { endpoint: `${url.origin}${path}/api/${project}/envelope/`, publicKey: url.username };
}
