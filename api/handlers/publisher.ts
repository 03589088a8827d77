/** Who publishes, as releases and mails name them. */
import type { Call } from "../call.ts";

/** @returns the name of the user or organization; undefined for nobody. */
export function publisherName({ principal }: Call): string | undefined {
  if (principal.kind === "none") return undefined;
  return principal.kind === "user" ? principal.user.username : principal.organization.name;
}

/** @returns the account of the user or organization that publishes. */
export function publisherId({ principal }: Call): number | null {
  switch (principal.kind) {
    case "none":
      return null;
    case "user":
      return principal.user.id;
    case "organization":
      return principal.organization.accountId;
  }
}
