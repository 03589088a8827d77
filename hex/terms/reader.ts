/**
 * Reads terms as `metadata.config` holds them: each ended by a dot, in the tokens of `lexer.ts`, in the
 * grammar of Erlang's `file:consult/1` without improper lists.
 */
import { TermError } from "./errors.ts";
import { type Punctuation, type Token, tokens } from "./lexer.ts";
import { segmentBytes } from "./segments.ts";
import { atom, binary, integer, list, map, type Term, type TermPair } from "./term.ts";
import { writeTerm } from "./writer.ts";

/** What reading may cost. */
export interface TermLimits {
  /** How deep lists, tuples and maps may nest. */
  readonly maxDepth: number;
  /** How many terms a file may hold; each code point of a charlist is one. */
  readonly maxTerms: number;
}

// A file of a megabyte, the most a package may have, otherwise becomes 350,000 objects.
const DEFAULT_LIMITS: TermLimits = { maxDepth: 64, maxTerms: 131_072 };

/**
 * @param bytes a file in UTF-8 or, when it is not valid UTF-8, in Latin-1
 * @returns its terms in order; none for a file of white space.
 * @throws {TermError}
 */
export function readTerms(bytes: Uint8Array, limits: TermLimits = DEFAULT_LIMITS): Term[] {
  return new Reader(decode(bytes), limits).all();
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}

class Reader {
  readonly #tokens: Iterator<Token, undefined>;
  readonly #limits: TermLimits;
  #next: Token | undefined;
  #depth = 0;
  #terms = 0;

  constructor(text: string, limits: TermLimits) {
    this.#tokens = tokens(text);
    this.#limits = limits;
    this.#advance();
  }

  all(): Term[] {
    const terms: Term[] = [];
    while (this.#next !== undefined) {
      terms.push(this.#term());
      this.#expect(".");
    }
    return terms;
  }

  #term(): Term {
    this.#count(1);
    const token = this.#take();
    switch (token?.kind) {
      case "atom":
        return atom(token.name);
      case "integer":
        return integer(token.value);
      case "string":
        return this.#charlist(this.#strings(token.text));
      case "punctuation":
        return this.#marked(token.text);
      case undefined:
        throw invalid();
    }
  }

  #marked(mark: Punctuation): Term {
    switch (mark) {
      case "+":
      case "-":
        return integer(this.#signed(mark));
      case "[":
        return list(this.#nested("]", () => this.#term()));
      case "{":
        return { kind: "tuple", items: this.#nested("}", () => this.#term()) };
      case "#":
        this.#expect("{");
        return map(this.#lastOfEach(this.#nested("}", () => this.#pair())));
      case "<<":
        return binary(Buffer.concat(this.#nested(">>", () => this.#segment())));
      default:
        throw invalid();
    }
  }

  #nested<Item>(close: Punctuation, item: () => Item): Item[] {
    this.#depth += 1;
    if (this.#depth > this.#limits.maxDepth) throw new TermError("too_deep", "terms nest too deep");
    const items: Item[] = [];
    if (!this.#accept(close)) {
      do items.push(item());
      while (this.#accept(","));
      this.#expect(close);
    }
    this.#depth -= 1;
    return items;
  }

  #pair(): TermPair {
    const key = this.#term();
    this.#expect("=>");
    return [key, this.#term()];
  }

  #lastOfEach(pairs: readonly TermPair[]): readonly TermPair[] {
    const byKey = new Map<string, TermPair>();
    for (const pair of pairs) {
      const key = writeTerm(pair[0]);
      // Maps as keys of maps would be written again on every level.
      this.#count(Math.floor(key.length / 16));
      byKey.set(key, pair);
    }
    return [...byKey.values()];
  }

  #segment(): Uint8Array {
    this.#count(1);
    const value = this.#segmentValue();
    const specifiers: string[] = [];
    if (this.#accept("/")) {
      do specifiers.push(this.#atom());
      while (this.#accept("-"));
    }
    return segmentBytes(value, specifiers);
  }

  #segmentValue(): string | bigint {
    const token = this.#take();
    if (token?.kind === "string") return this.#strings(token.text);
    if (token?.kind === "integer") return token.value;
    if (token?.kind === "punctuation" && (token.text === "+" || token.text === "-")) {
      return this.#signed(token.text);
    }
    throw invalid();
  }

  #signed(sign: "+" | "-"): bigint {
    const token = this.#take();
    if (token?.kind !== "integer") throw invalid();
    return sign === "-" ? -token.value : token.value;
  }

  /** Strings that follow each other are one, as in C. */
  #strings(first: string): string {
    const parts = [first];
    while (this.#next?.kind === "string") {
      parts.push(this.#next.text);
      this.#advance();
    }
    return parts.join("");
  }

  #charlist(text: string): Term {
    this.#count(text.length);
    return list(Array.from(text, (character) => integer(character.codePointAt(0) ?? 0)));
  }

  #atom(): string {
    const token = this.#take();
    if (token?.kind !== "atom") throw invalid();
    return token.name;
  }

  #count(terms: number): void {
    this.#terms += terms;
    if (this.#terms > this.#limits.maxTerms) throw new TermError("too_many", "too many terms");
  }

  #accept(mark: Punctuation): boolean {
    if (this.#next?.kind !== "punctuation" || this.#next.text !== mark) return false;
    this.#advance();
    return true;
  }

  #expect(mark: Punctuation): void {
    if (!this.#accept(mark)) throw invalid();
  }

  #take(): Token | undefined {
    const token = this.#next;
    this.#advance();
    return token;
  }

  #advance(): void {
    this.#next = this.#tokens.next().value;
  }
}

function invalid(): TermError {
  return new TermError("invalid_terms", "invalid terms");
}
