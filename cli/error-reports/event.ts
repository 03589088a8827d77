/**
 * An error as an event of Sentry's protocol (develop.sentry.dev, "Event Payloads" and "Exception Interface"). It has
 * the error's name, message, code and stack, and nothing of the request but its id.
 */

export interface EventContext {
  /** `skep@VERSION`. */
  readonly release: string;
  /** Which command the process runs. */
  readonly role: string;
  readonly hide: (text: string) => string;
}

export interface ErrorSeen {
  readonly error: unknown;
  /** What could not be done, in the words of the log. */
  readonly message: string;
  readonly level: "error" | "fatal";
  readonly requestId?: string | undefined;
}

interface Frame {
  readonly function: string;
  readonly filename: string;
  readonly lineno: number;
  readonly colno: number;
  readonly in_app: boolean;
}

const MOST_CAUSES = 5;
const MOST_FRAMES = 50;
const MOST_TEXT = 2_000;

/**
 * @param id 32 hexadecimal digits
 * @param at seconds since 1970
 */
export function eventOf(seen: ErrorSeen, context: EventContext, id: string, at: number): object {
  const { hide, release, role } = context;
  const chain = causesOf(seen.error);
  const code = codeOf(chain[0]);
  return {
    event_id: id,
    timestamp: at,
    platform: "node",
    level: seen.level,
    logger: "skep",
    release,
    tags: {
      role,
      ...(code === undefined ? {} : { code }),
      ...(seen.requestId === undefined ? {} : { request_id: seen.requestId }),
    },
    extra: { what: shown(seen.message, hide) },
    // The outermost comes last.
    exception: { values: chain.map((error) => exceptionOf(error, hide)).reverse() },
  };
}

/** @returns the error and what has caused it; of several at once the first. */
function causesOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let at = error; at !== undefined && at !== null && chain.length < MOST_CAUSES; ) {
    chain.push(at);
    at = at instanceof AggregateError ? at.errors[0] : at instanceof Error ? at.cause : undefined;
  }
  return chain;
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^\w{1,64}$/.test(code) ? code : undefined;
}

function exceptionOf(error: unknown, hide: (text: string) => string): object {
  if (!(error instanceof Error)) return { type: "Error", value: shown(String(error), hide) };
  const frames = framesOf(error.stack ?? "");
  return {
    type: error.name.slice(0, 100),
    value: shown(error.message, hide),
    ...(frames.length === 0 ? {} : { stacktrace: { frames } }),
  };
}

/** Cut between words first: half a secret would not be known as one. */
function shown(text: string, hide: (text: string) => string): string {
  const cut = text.length > 2 * MOST_TEXT ? text.slice(0, 2 * MOST_TEXT).replace(/\S*$/, "") : text;
  return hide(cut).slice(0, MOST_TEXT);
}

const FRAME = /^\s+at (?:(.+?) \()?(?:file:\/\/)?([^\s()]+):(\d+):(\d+)\)?$/;

/** @param stack as V8 writes it @returns its frames, the outermost first, as Sentry has them. */
function framesOf(stack: string): readonly Frame[] {
  const frames = stack.split("\n").flatMap((line): Frame[] => {
    const [, name, filename, lineno, colno] = FRAME.exec(line) ?? [];
    if (filename === undefined) return [];
    const foreign = filename.startsWith("node:") || filename.includes("/node_modules/");
    return [
      {
        function: name ?? "<anonymous>",
        filename,
        lineno: Number(lineno),
        colno: Number(colno),
        in_app: !foreign,
      },
    ];
  });
  return frames.slice(0, MOST_FRAMES).reverse();
}
