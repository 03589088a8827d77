/**
 * @returns the text with every control character but the line end shown as an escape: what a repository or a
 *   request has brought must not steer the terminal of who reads it.
 */
export function visible(text: string): string {
  return text.replace(/\p{Cc}/gu, (letter) =>
    letter === "\n" ? letter : `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
