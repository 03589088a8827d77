import { SkepError } from "../../schemas/errors.ts";

/**
 * HTTP clients quote a header that they refuse in their error, so a token with a stray line end must not
 * get that far.
 * @returns the token.
 * @throws SkepError `config_invalid` unless it is printable ASCII without spaces; without naming it.
 */
export function sendableToken(token: string, whose: string): string {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new SkepError(
      "config_invalid",
      `the token for ${whose} is empty or has characters that no header takes`,
    );
  }
  return token;
}
