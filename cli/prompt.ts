/** Asks for secrets, without showing them. */
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { SkepError } from "../schemas/errors.ts";

const MOST_BYTES = 4_096;

/** @throws SkepError `usage` when nobody is there to answer. */
export async function askPassword(question: string): Promise<string> {
  if (!process.stdin.isTTY) {
    throw new SkepError("usage", "no terminal to ask for a password on; give it with --password-stdin");
  }
  const password = await ask(question);
  if ((await ask("Again: ")) !== password) throw new SkepError("usage", "the two passwords differ");
  return password;
}

async function ask(question: string): Promise<string> {
  // What is typed is echoed by readline, to here.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  // Only now, as from here on the terminal itself shows nothing either.
  process.stderr.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once("line", resolve);
      lines.once("SIGINT", () => reject(new SkepError("usage", "no password was given")));
      lines.once("close", () => reject(new SkepError("usage", "no password was given")));
    });
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}

/** @returns the first line of stdin. */
export async function readPasswordLine(input: AsyncIterable<Buffer | string>): Promise<string> {
  let text = "";
  for await (const chunk of input) {
    text += chunk.toString();
    if (text.includes("\n") || text.length > MOST_BYTES) break;
  }
  return text.split(/\r?\n/, 1)[0] ?? "";
}
