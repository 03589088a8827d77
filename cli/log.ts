/** The log: JSON for machines, or lines for people. */
import { type Logger, type LoggerOptions, pino, stdSerializers } from "pino";
import type { LogConfig } from "../schemas/config/config.ts";
import { visible } from "./visible.ts";

const LEVELS: Readonly<Record<number, string>> = {
  20: "debug",
  30: "info",
  40: "warn",
  50: "error",
  60: "fatal",
};
const HIDDEN = new Set(["level", "time", "msg", "err"]);

/** Told of each entry that is logged: pino's level, the fields beside the message, and that. Must not throw. */
export type OnEntry = (level: number, fields: unknown, message: unknown) => void;

/** @returns a logger on stderr. Written at once: the last line before a crash counts most. */
export function openLog(config: LogConfig, isTerminal: boolean, onEntry?: OnEntry): Logger {
  const options: LoggerOptions = {
    level: config.level,
    base: null,
    serializers: { err: stdSerializers.errWithCause },
    hooks: {
      logMethod(entry, method, level) {
        onEntry?.(level, entry[0], entry[1]);
        method.apply(this, entry);
      },
    },
  };
  const format = config.format ?? (isTerminal ? "text" : "json");
  if (format === "json") return pino(options, pino.destination({ fd: 2, sync: true }));
  return pino(options, { write: (line) => void process.stderr.write(`${formatLine(line)}\n`) });
}

/** @param line as pino writes it @returns `12:34:56 warn  message key=value ...` */
export function formatLine(line: string): string {
  const entry = JSON.parse(line) as Record<string, unknown>;
  const time = new Date(Number(entry.time)).toTimeString().slice(0, 8);
  const level = LEVELS[Number(entry.level)] ?? String(entry.level);
  const error = entry.err as { readonly message?: string } | undefined;
  const fields = Object.entries(entry)
    .filter(([name]) => !HIDDEN.has(name))
    .map(([name, value]) => `${name}=${plain(value)}`);
  if (error?.message !== undefined) fields.push(`error=${JSON.stringify(error.message)}`);
  const text = [time, level.padEnd(5), String(entry.msg ?? ""), ...fields].join(" ").trimEnd();
  // One entry is one line, whatever a request has brought into it.
  return visible(text).replaceAll("\n", "\\n");
}

function plain(value: unknown): string {
  return typeof value === "string" && /^[\w./:@+-]+$/.test(value) ? value : JSON.stringify(value);
}
