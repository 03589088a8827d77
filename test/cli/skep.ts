/** Runs the `skep` command as its users do, in a data folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findEmbeddedPostgres, startEmbeddedPostgres } from "../../store/postgres/embedded.ts";

const root = resolve(import.meta.dirname, "../..");
/** With SKEP_BUILT what `npm run build` has made, which starts faster; else the sources. */
const SKEP = process.env.SKEP_BUILT ? ["dist/cli/main.js"] : ["--import", "tsx", "cli/main.ts"];

/** How the program says that it is called. */
export const CALLED = process.env.SKEP_BUILT ? "skep" : "npm run -s skep --";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningSkep {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<Ended>;
  /** Resolves when the text appears on stdout or stderr; rejects when the process ends before. */
  until(text: string): Promise<void>;
  /** Sends the signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Ended>;
}

export type Environment = Readonly<Record<string, string>>;

export interface SkepFolder {
  /** Of the checkout. */
  readonly root: string;
  readonly folder: string;
  /** Sets data folder and port. */
  readonly environment: Environment;
  readonly url: string;
  start(args: readonly string[], more?: Environment): RunningSkep;
  /** Starts `skep serve` and waits until it is ready. */
  serve(more?: Environment): Promise<RunningSkep>;
  run(args: readonly string[], more?: Environment, input?: string): Promise<Ended>;
  /** Kills what still runs, and removes the folder. */
  remove(): Promise<void>;
}

export async function skepFolder(): Promise<SkepFolder> {
  const folder = await mkdtemp(join(tmpdir(), "skep-cli-"));
  const port = await freePort();
  const environment = { SKEP_DATA_DIR: join(folder, "data"), SKEP_PORT: String(port) };
  const children = new Set<RunningSkep>();
  const start: SkepFolder["start"] = (args, more = {}) => {
    const running = startSkep(args, { ...environment, ...more });
    children.add(running);
    return running;
  };
  return {
    root,
    folder,
    environment,
    url: `http://localhost:${port}`,
    start,
    async serve(more) {
      const running = start(["serve"], more);
      await running.until("stop with ^C");
      return running;
    },
    async run(args, more, input) {
      const running = start(args, more);
      running.child.stdin?.end(input ?? "");
      return running.ended;
    },
    async remove() {
      for (const running of children) await running.stop("SIGKILL");
      const postgres = join(folder, "data", "postgres");
      if ((await findEmbeddedPostgres(postgres)) !== undefined) {
        await startEmbeddedPostgres({ folder: postgres }).then((server) => server.stop());
      }
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function startSkep(args: readonly string[], more: Environment): RunningSkep {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [...SKEP, ...args], {
    cwd: root,
    env: { PATH, HOME, ...more },
  });
  let [stdout, stderr] = ["", ""];
  let look: () => void = () => undefined;
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    look();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
    look();
  });
  const ended = new Promise<Ended>((done) => child.once("close", (code) => done({ code, stdout, stderr })));
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    until: (text) =>
      new Promise((done, fail) => {
        look = () => {
          if (stdout.includes(text) || stderr.includes(text)) done();
        };
        look();
        void ended.then(() => fail(new Error(`ended without ${JSON.stringify(text)}:\n${stdout}${stderr}`)));
      }),
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      return ended;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}
