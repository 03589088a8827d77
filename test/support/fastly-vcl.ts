/**
 * Runs Fastly's dialect of VCL. Fastly gives nobody its interpreter, so this is one of as much of the language as
 * `deploy/fastly/skep.vcl` uses, over the syntax tree of falco, the parser and linter for it; whatever else it meets it
 * refuses. See https://www.fastly.com/documentation/reference/vcl/.
 */
import { createHash, createHmac } from "node:crypto";

interface Token {
  readonly Type: string;
  readonly Literal: string;
  /** Of a string: 2 for `"…"`, in which %XX is an escape, and more for `{"…"}`, in which nothing is. */
  readonly Offset: number;
}
interface Node {
  readonly Token: Token;
  readonly [part: string]: unknown;
}

export interface Findings {
  readonly Errors: number;
  readonly Warnings: number;
  readonly LintErrors: Readonly<
    Record<string, readonly { readonly Severity: string; readonly Message: string }[]>
  >;
  readonly ParseErrors: unknown;
  readonly Vcl?: { readonly AST: { readonly Statements: readonly Node[] } };
}

/** Null is what is not set. */
export type Value = string | number | boolean | null;

/** Where variables lead: `req.http.x`, `beresp.ttl`; those that a subroutine declares are its own. */
export interface Variables {
  get(name: string): Value;
  set(name: string, value: Value): void;
}

/** How a subroutine of the state machine has ended: a `return`, or an `error`. */
export type Outcome =
  | { readonly kind: "return"; readonly state: string }
  | { readonly kind: "error"; readonly status: number; readonly text: string };

export class FastlyVcl {
  readonly #subs = new Map<string, Node>();
  readonly #tables = new Map<string, ReadonlyMap<string, string>>();

  /** @param findings what falco says of the file: its syntax tree is in them */
  constructor(findings: Findings) {
    for (const node of findings.Vcl?.AST.Statements ?? []) {
      const name = text(part(node, "Name"));
      if (node.Token.Type === "SUBROUTINE") this.#subs.set(name, part(node, "Block"));
      if (node.Token.Type === "TABLE") {
        const rows = list(node, "Properties").map(
          (row) => [text(part(row, "Key")), text(part(row, "Value"))] as const,
        );
        this.#tables.set(name, new Map(rows));
      }
    }
  }

  /** @throws Error for a subroutine that is not there or does not say how it ends. */
  run(name: string, variables: Variables): Outcome {
    const outcome = this.#call(name, variables);
    if (outcome === undefined) throw new Error(`${name} does not end`);
    return outcome;
  }

  #call(name: string, outer: Variables): Outcome | undefined {
    const body = this.#subs.get(name);
    if (body === undefined) throw new Error(`there is no sub ${name}`);
    const own = new Map<string, Value>();
    return this.#block(body, {
      get: (variable) => (variable.startsWith("var.") ? (own.get(variable) ?? null) : outer.get(variable)),
      set: (variable, value) =>
        variable.startsWith("var.") ? void own.set(variable, value) : outer.set(variable, value),
    });
  }

  #block(block: Node, variables: Variables): Outcome | undefined {
    for (const statement of list(block, "Statements")) {
      const outcome = this.#statement(statement, variables);
      if (outcome !== undefined) return outcome;
    }
    return undefined;
  }

  #statement(node: Node, variables: Variables): Outcome | undefined {
    const value = (name: string) => this.#value(part(node, name), variables);
    switch (node.Token.Type) {
      case "IF":
        return this.#if(node, variables);
      case "SET": {
        const name = text(part(node, "Ident"));
        const added = part(node, "Operator").Operator === "+=";
        const before = added ? string(variables.get(name)) : "";
        return void variables.set(name, added ? before + string(value("Value")) : value("Value"));
      }
      case "UNSET":
        return void variables.set(text(part(node, "Ident")), null);
      case "CALL":
        return this.#call(text(part(node, "Subroutine")), variables);
      case "SYNTHETIC":
        return void variables.set("synthetic", string(value("Value")));
      case "ERROR":
        return { kind: "error", status: Number(value("Code")), text: string(value("Argument")) };
      case "RETURN":
        return { kind: "return", state: text(part(node, "ReturnExpression")) };
      case "DECLARE":
        return undefined;
      default:
        throw new Error(`the statement ${node.Token.Literal} is not known here`);
    }
  }

  #if(node: Node, variables: Variables): Outcome | undefined {
    if (truth(this.#value(part(node, "Condition"), variables)))
      return this.#block(part(node, "Consequence"), variables);
    for (const another of (node.Another ?? []) as readonly Node[]) {
      if (truth(this.#value(part(another, "Condition"), variables)))
        return this.#block(part(another, "Consequence"), variables);
    }
    const otherwise = node.Alternative as Node | null;
    if (otherwise === null) return undefined;
    return this.#block("Consequence" in otherwise ? part(otherwise, "Consequence") : otherwise, variables);
  }

  #value(node: Node, variables: Variables): Value {
    if ("Function" in node) return this.#function(node, variables);
    if ("Operator" in node) return this.#operation(node, variables);
    const { Type, Literal, Offset } = node.Token;
    switch (Type) {
      case "STRING":
        return Offset === 2
          ? Literal.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)))
          : Literal;
      case "INT":
        return Number(Literal);
      case "RTIME":
        return Number(/^(\d+)s$/.exec(Literal)?.[1]);
      case "TRUE":
      case "FALSE":
        return Type === "TRUE";
      case "IDENT":
        return Literal === "LF" ? "\n" : variables.get(Literal);
      default:
        throw new Error(`the expression ${Literal} is not known here`);
    }
  }

  #operation(node: Node, variables: Variables): Value {
    const right = () => this.#value(part(node, "Right"), variables);
    if (!("Left" in node)) return !truth(right());
    const left = this.#value(part(node, "Left"), variables);
    switch (node.Operator) {
      case "||":
        return truth(left) || truth(right());
      case "&&":
        return truth(left) && truth(right());
      case "+":
        return string(left) + string(right());
      case "==":
        return left === right();
      case "!=":
        return left !== right();
      case "<":
        return Number(left) < Number(right());
      case ">=":
        return Number(left) >= Number(right());
      case "~":
        return pattern(string(right())).test(string(left));
      case "!~":
        return !pattern(string(right())).test(string(left));
      default:
        throw new Error(`the operator ${node.Operator} is not known here`);
    }
  }

  #function(node: Node, variables: Variables): Value {
    const name = text(part(node, "Function"));
    const nodes = list(node, "Arguments");
    if (name === "table.lookup") {
      const [table, key] = nodes.map((argument, index) =>
        index === 0 ? text(argument) : string(this.#value(argument, variables)),
      );
      return this.#tables.get(table ?? "")?.get(key ?? "") ?? null;
    }
    const given = nodes.map((argument) => string(this.#value(argument, variables)));
    const [a = "", b = "", c = "", d = "", e = ""] = given;
    switch (name) {
      case "regsub":
        return a.replace(pattern(b), c);
      case "regsuball":
        return a.replace(pattern(b, "g"), c);
      case "strftime":
        return strftime(a, b);
      case "digest.hash_sha256":
        return createHash("sha256").update(a).digest("hex");
      case "digest.awsv4_hmac": {
        const hmac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest();
        const key = [b, c, d, "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${a}`);
        return `0x${hmac(key, e).toString("hex")}`;
      }
      default:
        throw new Error(`the function ${name} is not known here`);
    }
  }
}

function part(node: Node, name: string): Node {
  return node[name] as Node;
}

function list(node: Node, name: string): readonly Node[] {
  return (node[name] ?? []) as readonly Node[];
}

/** A name, or a literal as it stands. */
function text(node: Node | undefined): string {
  return node?.Token.Literal ?? "";
}

function string(value: Value): string {
  return value === null ? "" : String(value);
}

/** A string is true when it is set, be it empty. */
function truth(value: Value): boolean {
  return typeof value === "boolean" ? value : value !== null;
}

function pattern(source: string, flags = ""): RegExp {
  return source.startsWith("(?i)") ? new RegExp(source.slice(4), `${flags}i`) : new RegExp(source, flags);
}

/** @param instant in ISO 8601 */
function strftime(format: string, instant: string): string {
  const [year = "", month = "", day = "", hours = "", minutes = "", seconds = ""] = instant.split(/\D/);
  const parts: Readonly<Record<string, string>> = {
    Y: year,
    m: month,
    d: day,
    H: hours,
    M: minutes,
    S: seconds,
  };
  return format.replace(/%(.)/g, (_, letter) => parts[letter] ?? "");
}
