/**
 * The tokens of `metadata.config`: those that Hex clients know, with their rules and not with those of
 * Erlang's own scanner (`erl_scan`), which differs in escapes. There are no comments, floats,
 * characters (`$a`), variables or based integers (`16#ff`).
 */
import { TermError } from "./errors.ts";

const PUNCTUATION = ["<<", ">>", "=>", "#", "[", "]", "{", "}", ",", "+", "-", "/", "."] as const;

export type Punctuation = (typeof PUNCTUATION)[number];

export type Token =
  | { readonly kind: "atom"; readonly name: string }
  /** The text is what the escapes stand for. */
  | { readonly kind: "string"; readonly text: string }
  | { readonly kind: "integer"; readonly value: bigint }
  | { readonly kind: "punctuation"; readonly text: Punctuation };

/**
 * Clients turn an atom into one that their virtual machine already knows, and fail otherwise. What is
 * known depends on the machine, so only these are safe to accept: values that builders of packages
 * write, and the types and modifiers of binary segments.
 */
export const KNOWN_ATOMS: ReadonlySet<string> = new Set([
  ...["true", "false", "nil", "undefined"],
  ...["utf8", "integer", "signed", "unsigned", "big", "little"],
]);

const ATOM = /[a-z][A-Za-z0-9_@]*/y;
const DIGITS = /[0-9]+/y;
// A number of a million digits would take seconds to convert.
const MAX_DIGITS = 1_000;

/**
 * @param text a whole file, decoded
 * @returns the tokens, made as they are asked for.
 * @throws {TermError} `illegal_characters` or `illegal_atom`, when asked for a token that is none.
 */
export function* tokens(text: string): Generator<Token, undefined> {
  let at = skipBlanks(text, 0);
  while (at < text.length) {
    const [token, end] = readToken(text, at);
    yield token;
    at = skipBlanks(text, end);
  }
}

function skipBlanks(text: string, start: number): number {
  let at = start;
  // Every control character counts as white space, NUL included.
  while (at < text.length && text.charCodeAt(at) <= 0x20) at += 1;
  return at;
}

function readToken(text: string, at: number): readonly [token: Token, end: number] {
  const first = text.charAt(at);
  if (first === '"' || first === "'") return quoted(text, at, first);
  const name = match(ATOM, text, at);
  if (name !== undefined) return [atomToken(name), at + name.length];
  const digits = match(DIGITS, text, at);
  if (digits !== undefined) return [integerToken(digits), at + digits.length];
  const mark = PUNCTUATION.find((candidate) => text.startsWith(candidate, at));
  if (mark !== undefined) return [{ kind: "punctuation", text: mark }, at + mark.length];
  throw illegal(text, at);
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function quoted(text: string, at: number, quote: string): readonly [token: Token, end: number] {
  const end = closingQuote(text, at, quote);
  const inside = unescaped(text.slice(at + 1, end));
  if (inside === undefined) throw illegal(text, at);
  return [quote === '"' ? { kind: "string", text: inside } : atomToken(inside), end + 1];
}

/**
 * The clients' scanner is generated from `"(\\\^.|\\.|[^"])*"` and takes the longest match. A quote
 * after a backslash (or after `\^`) may stand for itself, even where that backslash is itself escaped,
 * so such a quote ends the string only when no other quote follows in the whole file. Reading
 * `"a\\", "b"` as two strings would give this server another package than the one clients see.
 */
function closingQuote(text: string, start: number, quote: string): number {
  let at = text.indexOf(quote, start + 1);
  if (at === -1) throw illegal(text, start);
  while (text[at - 1] === "\\" || text.slice(at - 2, at) === "\\^") {
    const next = text.indexOf(quote, at + 1);
    if (next === -1) break;
    at = next;
  }
  return at;
}

const ESCAPE = /\\(?:([0-7]{3})|\^(.)|(.)|$)/gsu;
const LETTERS = new Map<string, string>([
  ...Object.entries({ n: "\n", r: "\r", t: "\t", v: "\v", b: "\b", f: "\f" }),
  ...Object.entries({ e: "\u001b", s: " ", d: "\u007f" }),
]);

/** @returns undefined when the text ends in a lone backslash. */
function unescaped(text: string): string | undefined {
  if (!text.includes("\\")) return text;
  let complete = true;
  const plain = text.replace(ESCAPE, (_all, octal?: string, control?: string, other?: string) => {
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    if (control !== undefined) return String.fromCodePoint((control.codePointAt(0) ?? 0) & 31);
    if (other === undefined) complete = false;
    // A backslash before white space or a control character vanishes together with it.
    if (other === undefined || other <= " ") return "";
    return LETTERS.get(other) ?? other;
  });
  return complete ? plain : undefined;
}

function atomToken(name: string): Token {
  if (KNOWN_ATOMS.has(name)) return { kind: "atom", name };
  throw new TermError("illegal_atom", `illegal atom ${excerpt(name)}`);
}

function integerToken(digits: string): Token {
  if (digits.length > MAX_DIGITS) throw new TermError("too_many", "an integer has too many digits");
  return { kind: "integer", value: BigInt(digits) };
}

function illegal(text: string, at: number): TermError {
  return new TermError("illegal_characters", `illegal characters ${excerpt(text.slice(at, at + 40))}`);
}

/** Quoted and cut, so that a message can be shown whatever the file holds. */
function excerpt(text: string): string {
  const short = Array.from(text.slice(0, 40)).slice(0, 20).join("");
  return /^[A-Za-z0-9_@]+$/.test(short) ? short : JSON.stringify(short);
}
