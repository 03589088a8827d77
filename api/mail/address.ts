/** Which addresses a mail can be sent to. Pure. */

// RFC 5321, 4.5.3.1: what can be mailed to. Also what keeps a name of 8 MB out of every list of owners.
const LONGEST_ADDRESS = 254;

/**
 * One `@`, a dot somewhere after it, and none of the characters that have a meaning of their own in a list of
 * addresses or end a header line: an address can then neither become two, nor bring a header of its own (RFC
 * 5322, 3.2.3). By hand, as a pattern for it backtracks.
 */
export function isMailable(address: string): boolean {
  const at = address.indexOf("@");
  const host = address.slice(at + 1);
  const dot = host.indexOf(".", 1);
  return (
    address.length <= LONGEST_ADDRESS &&
    at > 0 &&
    !host.includes("@") &&
    dot > 0 &&
    dot < host.length - 1 &&
    !/[\s\p{C}<>()[\]\\,;:"]/u.test(address)
  );
}

const LONGEST_LINE = 200;

/** @returns text of others as it may stand in a subject or a sentence: on one line, visible, not too long. */
export function oneLine(text: string): string {
  const line = text.replace(/[\s\p{C}]+/gu, " ").trim();
  const characters = [...line];
  return characters.length <= LONGEST_LINE ? line : `${characters.slice(0, LONGEST_LINE - 1).join("")}…`;
}
