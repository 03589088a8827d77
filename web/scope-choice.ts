/** What a person gives of what a program asks for. Pure. */
import { isWriting } from "../api/oauth/scopes.ts";

/** Without it a program could do nothing but fetch, and would not even learn who it acts for. */
const MANDATORY = "api:read";

export type Choice = { readonly scopes: readonly string[] } | { readonly problem: string };

/**
 * @param selected the boxes that were ticked; from a form, so from anybody
 * @param requested by the program
 * @param hasTotp whether the person has a second factor, without which nothing may write
 */
export function chosenScopes(
  selected: readonly string[],
  requested: readonly string[],
  hasTotp: boolean,
): Choice {
  // Its box is ticked and cannot be changed; browsers send no such boxes.
  const given = [...new Set(requested.includes(MANDATORY) ? [MANDATORY, ...selected] : selected)];
  if (given.length === 0 || selected.length === 0)
    return { problem: "At least one permission must be selected" };
  if (!given.every((scope) => requested.includes(scope))) {
    return { problem: "Selected scopes not in original request" };
  }
  if (!hasTotp && given.some(isWriting)) {
    return {
      problem:
        "Two-factor authentication is required for api:write permissions. Turn it on in your account first, or let the program only read.",
    };
  }
  return { scopes: requested.filter((scope) => given.includes(scope)) };
}

export function isMandatory(scope: string): boolean {
  return scope === MANDATORY;
}
