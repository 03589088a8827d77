/** YAML that somebody wrote by hand, of which JSON is a part. Pure. */
import { parseDocument } from "yaml";

/**
 * @param longest characters: far below what aliases could make of a small file
 * @returns the value, or what is wrong with the text, a line for each.
 */
export function parseYaml(
  text: string,
  longest: number,
): { readonly value: unknown } | { readonly problems: readonly string[] } {
  if (text.length > longest) return { problems: [`has more than ${longest} characters`] };
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  if (document.errors.length > 0) return { problems: document.errors.map(({ message }) => message.trim()) };
  try {
    return { value: document.toJS({ maxAliasCount: 100 }) };
  } catch (error) {
    return { problems: [(error as Error).message] };
  }
}
