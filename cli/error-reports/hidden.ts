/** Takes out of a text what must not leave this machine. */
import { Secret } from "../../schemas/config/secret.ts";

const HIDDEN = "[hidden]";
// What is shorter stands in ordinary words as well.
const LEAST_SECRET = 6;

/** What looks like a secret, whoever's it is: of clients, and of services that quote them. */
const PATTERNS: readonly (readonly [pattern: RegExp, instead: string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, HIDDEN],
  // User and password of a URL.
  [/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${HIDDEN}@`],
  [/\b(bearer|basic)\s+[\w.~+/=-]+/gi, `$1 ${HIDDEN}`],
  [
    /\b(authorization|cookie|password|passwd|secret|token|api[_-]?key)(["']?\s*[=:]\s*["']?)[^\s"',;&]+/gi,
    `$1$2${HIDDEN}`,
  ],
  [/\beyJ[\w-]+\.[\w-]+(\.[\w-]*)?/g, HIDDEN],
  // API keys, session secrets, hashes.
  [/\b[0-9a-f]{32,}\b/gi, HIDDEN],
  // Addresses of people.
  [/[^\s@<>"'()]+@[^\s@<>"'()]+\.[a-z]{2,}/gi, HIDDEN],
];

/** @param config whose secrets are hidden wherever they stand */
export function hiding(config: object): (text: string) => string {
  const secrets = secretsIn(config).filter((secret) => secret.length >= LEAST_SECRET);
  return (text) => {
    let shown = text;
    for (const secret of secrets) shown = shown.replaceAll(secret, HIDDEN);
    for (const [pattern, instead] of PATTERNS) shown = shown.replace(pattern, instead);
    return shown;
  };
}

function secretsIn(value: unknown): readonly string[] {
  if (value instanceof Secret) return partsOf(value.reveal());
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(secretsIn) : [];
}

/** @returns the secret, and the password of one that is a URL: errors may quote it alone. */
function partsOf(secret: string): readonly string[] {
  const url = URL.canParse(secret) ? new URL(secret) : undefined;
  return url?.password ? [secret, url.password, decodeURIComponent(url.password)] : [secret];
}
