/**
 * A Postgres of our own in a folder, for trying skep out and for tests: the programs come from npm, nothing
 * has to be installed. Not for production, where DATABASE_URL names a server that somebody backs up.
 *
 * The server outlives a killed process of ours; the next start finds and uses it. Several programs may use
 * it at once; the last to leave stops it.
 */
import { spawn } from "node:child_process";
import { mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { hasCode, SkepError } from "../../schemas/errors.ts";
import { type Account, PROGRAM_ENVIRONMENT, serverAccount } from "./embedded-account.ts";
import {
  type Binaries,
  findBinaries,
  isSetUp,
  type Layout,
  layoutOf,
  requireSameMajor,
  setUp,
} from "./embedded-cluster.ts";
import {
  answers,
  isAlive,
  pause,
  type RunningServer,
  requestStop,
  runningServer,
  stopServer,
  urlOf,
} from "./embedded-running.ts";
import { type ServerUser, useServer } from "./embedded-users.ts";

export interface EmbeddedOptions {
  /** Holds the data, the password and the log; made when it is not there. */
  readonly folder: string;
  /** Further settings of the server (`postgresql.conf`). */
  readonly settings?: Readonly<Record<string, string>>;
  /** Any free one unless given. */
  readonly port?: number;
  /** Names this program to others who would use the folder. Default: `skep (pid N)`. */
  readonly name?: string;
  /** Refuses to start when another program with this wish uses the folder. */
  readonly sole?: boolean;
}

export interface EmbeddedPostgres {
  /** Of a superuser, on 127.0.0.1. */
  readonly url: string;
  /** Of the server that runs now. */
  readonly pid: number;
  /** True when the server was running already. */
  readonly reused: boolean;
  /**
   * Looks after the server from now on: one that dies is started again, on its port, so that pools find it.
   * @param log told in words of each death, and of each failure to start it again
   */
  keepRunning(log: (message: string) => void): void;
  /** Stops the server, with a clean state, unless another program still uses it. */
  stop(): Promise<void>;
  /** Tells the server to stop, and does not wait: for somebody who is about to exit in a hurry. */
  abandon(): void;
}

const START_SECONDS = 30;
const STOP_SECONDS = 20;
const LAUNCHES = 6;
const ATTEMPT_PAUSE_MILLISECONDS = 250;
const WATCH_MILLISECONDS = 500;
const LARGEST_LOG = 4 << 20;

interface Start {
  readonly layout: Layout;
  readonly binaries: Binaries;
  readonly account: Account;
  readonly options: EmbeddedOptions;
}

/** A server that this program has begun to use. */
interface Session {
  readonly server: RunningServer;
  readonly user: ServerUser;
  readonly reused: boolean;
}

/**
 * Starts the server, or uses the one that runs in this folder.
 * @throws SkepError `already_exists` when `sole` cannot be granted; `database_unavailable` with the server's
 *   own last words.
 */
export async function startEmbeddedPostgres(options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const layout = layoutOf(options.folder);
  const binaries = await findBinaries();
  await mkdir(layout.folder, { recursive: true });
  const account = await serverAccount(binaries.postgres, layout.data);
  await setUp(layout, binaries, account);
  await requireSameMajor(layout, binaries, account);
  const start: Start = { layout, binaries, account, options };
  const session = await enter(start, options.port);
  return handle(start, session, await urlOf(layout, session.server.port));
}

/** @returns the URL of the server that runs in this folder, undefined when none does. */
export async function findEmbeddedPostgres(folder: string): Promise<string | undefined> {
  const layout = layoutOf(folder);
  if (!(await isSetUp(layout))) return undefined;
  const running = await runningServer(layout, START_SECONDS);
  return running && urlOf(layout, running.port);
}

/** Others may start or stop the server at this very moment: then it is looked at again. */
async function enter(start: Start, port: number | undefined): Promise<Session> {
  const { layout, options } = start;
  const user = { name: options.name ?? `skep (pid ${process.pid})`, sole: options.sole ?? false };
  const deadline = performance.now() + START_SECONDS * 1000;
  for (let launches = 0; ; await pause(ATTEMPT_PAUSE_MILLISECONDS)) {
    const running = await runningServer(layout, START_SECONDS);
    const server = running ?? (await launch(start, port ?? (await freePort())));
    if (server === undefined) {
      launches += 1;
      if (launches < LAUNCHES) continue;
      throw new SkepError(
        "database_unavailable",
        `the embedded Postgres does not start: ${await lastWords(layout)}`,
      );
    }
    try {
      const session = await useServer(await urlOf(layout, server.port), user);
      return { server, user: session, reused: running !== undefined };
    } catch (error) {
      if (!hasCode(error, "database_unavailable") || performance.now() > deadline) throw error;
    }
  }
}

/** @returns undefined when the server has ended before it answered. */
async function launch(start: Start, port: number): Promise<RunningServer | undefined> {
  const { layout, account, binaries, options } = start;
  await shortenLog(layout);
  const log = await open(layout.log, "a", 0o600);
  const parameters = ["-D", layout.data, ...serverArguments(port, options.settings ?? {})];
  const { file, args, ...ids } = account.launch(binaries.postgres, parameters);
  const child = spawn(file, args, {
    ...ids,
    cwd: "/",
    env: PROGRAM_ENVIRONMENT,
    // A ^C on the terminal reaches us alone, and we stop it when nobody needs it any more.
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
  });
  let ended = false;
  child.once("exit", () => {
    ended = true;
  });
  child.once("error", () => {
    ended = true;
  });
  child.unref();
  await log.close();
  const deadline = performance.now() + START_SECONDS * 1000;
  while (!ended && performance.now() < deadline) {
    if (await answers(layout, port)) return { pid: child.pid ?? 0, port };
    await pause(30);
  }
  if (!ended) await stopServer(child.pid ?? 0, 1);
  return undefined;
}

function serverArguments(port: number, settings: Readonly<Record<string, string>>): readonly string[] {
  const all = {
    port: String(port),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    logging_collector: "off",
    log_destination: "stderr",
    max_connections: "100",
    shared_buffers: "64MB",
    max_wal_size: "256MB",
    jit: "off",
    ...settings,
  };
  return Object.entries(all).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
}

function handle(start: Start, first: Session, url: string): EmbeddedPostgres {
  let session = first;
  let stopping = false;
  let restarting: Promise<void> | undefined;
  let watch: NodeJS.Timeout | undefined;

  const restart = async (log: (message: string) => void) => {
    log("the embedded Postgres has ended; it is started again");
    await session.user.close();
    while (!stopping) {
      try {
        session = await enter(start, first.server.port);
        return;
      } catch (error) {
        log(error instanceof Error ? error.message : String(error));
        await pause(ATTEMPT_PAUSE_MILLISECONDS);
      }
    }
  };

  return {
    url,
    get pid() {
      return session.server.pid;
    },
    reused: first.reused,
    keepRunning(log) {
      watch = setInterval(() => {
        if (restarting !== undefined || stopping || isAlive(session.server.pid)) return;
        restarting = restart(log).finally(() => {
          restarting = undefined;
        });
      }, WATCH_MILLISECONDS);
      watch.unref();
    },
    async stop() {
      stopping = true;
      clearInterval(watch);
      await restarting;
      // When it cannot be asked, it is gone, or beyond asking.
      const last = await session.user.leave().catch(() => true);
      if (last && isAlive(session.server.pid)) await stopServer(session.server.pid, STOP_SECONDS);
      await session.user.close();
    },
    abandon() {
      stopping = true;
      clearInterval(watch);
      requestStop(session.server.pid);
    },
  };
}

async function shortenLog({ log }: Layout): Promise<void> {
  const size = (await stat(log).catch(() => undefined))?.size ?? 0;
  if (size > LARGEST_LOG) await rename(log, `${log}.1`);
}

async function lastWords({ log }: Layout): Promise<string> {
  const lines = (await readFile(log, "utf8").catch(() => "")).trimEnd().split("\n").slice(-20);
  const fatal = lines.findLast((line) => /FATAL|PANIC|error/.test(line)) ?? lines.at(-1);
  return `${(fatal ?? "").replace(/^.*?(?:FATAL|PANIC):\s*/, "")}; see ${log}`;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return typeof address === "object" && address !== null ? address.port : 0;
}
