/**
 * A real S3 service for tests: Ceph's object gateway with one monitor and one storage daemon, all in memory
 * and in a temporary folder, on free loopback ports. Needs the programs radosgw, ceph-mon, ceph-osd and ceph.
 * Ask `requireTool("radosgw")` first.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { listenOnLoopback } from "./loopback.ts";

const run = promisify(execFile);
const START_MILLISECONDS = 60_000;

export interface RunningCeph {
  /** `http://127.0.0.1:PORT`, to be used with path-style addressing. */
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Ends it, waits until it has ended, and removes its folder. */
  stop(): Promise<void>;
}

/** Takes some ten seconds. @throws Error with the end of a daemon's log when one does not start. */
export async function startCeph(): Promise<RunningCeph> {
  const folder = await mkdtemp(join(tmpdir(), "skep-ceph-"));
  const daemons = new Daemons(folder);
  try {
    const fsid = randomUUID();
    const [monitorPort, gatewayPort] = [await freePort(), await freePort()];
    const monitor = `[v2:127.0.0.1:${monitorPort}]`;
    await writeFile(join(folder, "ceph.conf"), configuration(folder, fsid, monitor, gatewayPort));
    await startMonitor(daemons, folder, fsid, monitor);
    await startStorage(daemons, folder);
    await startGateway(daemons, gatewayPort);
    const [accessKey, secretKey] = [randomBytes(10).toString("hex"), randomBytes(20).toString("hex")];
    const keys = [`--access-key=${accessKey}`, `--secret-key=${secretKey}`];
    await ceph(folder, "radosgw-admin", "user", "create", "--uid=test", "--display-name=test", ...keys);
    return {
      endpoint: `http://127.0.0.1:${gatewayPort}`,
      accessKey,
      secretKey,
      stop: () => daemons.stop(),
    };
  } catch (error) {
    await daemons.stop();
    throw error;
  }
}

function configuration(folder: string, fsid: string, monitor: string, gatewayPort: number): string {
  const settings = {
    fsid,
    "mon host": monitor,
    "public addr": "127.0.0.1",
    "cluster addr": "127.0.0.1",
    "ms bind ipv6": false,
    "run dir": folder,
    "admin socket": "",
    "log file": join(folder, "$name.log"),
    keyring: join(folder, "keyring"),
    "mon data": join(folder, "mon"),
    "osd data": join(folder, "osd"),
    "rgw data": join(folder, "rgw"),
    "osd objectstore": "memstore",
    "memstore device bytes": 2 ** 32,
    // One copy on one device is enough here.
    "osd pool default size": 1,
    "osd pool default min size": 1,
    "osd pool default pg num": 1,
    "osd pool default pgp num": 1,
    "osd pool default pg autoscale mode": "off",
    "osd crush chooseleaf type": 0,
    "mon allow pool size one": true,
    "mon max pg per osd": 1_000,
    "rgw frontends": `beast endpoint=127.0.0.1:${gatewayPort}`,
    "rgw enable apis": "s3",
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  return `[global]\n${lines.join("\n")}\n`;
}

/** All keys are there from the beginning, so that no daemon has to be given one later. */
async function startMonitor(daemons: Daemons, folder: string, fsid: string, monitor: string): Promise<void> {
  const keyring = join(folder, "keyring");
  const map = join(folder, "monmap");
  const owners = {
    "mon.": { mon: "allow *" },
    "client.admin": { mon: "allow *", osd: "allow *", mgr: "allow *" },
    "osd.0": { mon: "allow *", osd: "allow *" },
    "client.rgw.a": { mon: "allow rw", osd: "allow rwx" },
  };
  await run("ceph-authtool", ["--create-keyring", keyring]);
  for (const [owner, rights] of Object.entries(owners)) {
    const caps = Object.entries(rights).flatMap(([service, right]) => ["--cap", service, right]);
    await run("ceph-authtool", [keyring, "--gen-key", "-n", owner, ...caps]);
  }
  await run("monmaptool", ["--create", "--addv", "a", monitor, "--fsid", fsid, map]);
  for (const name of ["mon", "osd", "rgw"]) await mkdir(join(folder, name));
  await ceph(folder, "ceph-mon", "--mkfs", "-i", "a", "--monmap", map, "--keyring", keyring);
  daemons.start("ceph-mon", "-i", "a");
}

async function startStorage(daemons: Daemons, folder: string): Promise<void> {
  const id = randomUUID();
  await daemons.settled(ceph(folder, "ceph", "osd", "new", id));
  await ceph(folder, "ceph-osd", "-i", "0", "--mkfs", "--osd-uuid", id);
  daemons.start("ceph-osd", "-i", "0");
}

async function startGateway(daemons: Daemons, port: number): Promise<void> {
  daemons.start("radosgw", "-n", "client.rgw.a");
  await daemons.settled(untilListening(port));
}

function ceph(folder: string, program: string, ...args: readonly string[]) {
  return run(program, ["-c", join(folder, "ceph.conf"), ...args], { timeout: START_MILLISECONDS });
}

class Daemons {
  readonly #folder: string;
  readonly #processes: ChildProcess[] = [];
  #fail: (error: Error) => void = () => {};
  /** Rejects when one ends by itself. */
  readonly #ended = new Promise<never>((_, reject) => {
    this.#fail = reject;
  });

  constructor(folder: string) {
    this.#folder = folder;
    this.#ended.catch(() => undefined);
  }

  /** In the foreground, and killed by the system should this process be killed. */
  start(program: string, ...args: readonly string[]): void {
    const configured = ["-c", join(this.#folder, "ceph.conf"), "-f", ...args];
    const options = { stdio: "ignore" } as const;
    const child = spawn("setpriv", ["--pdeathsig", "KILL", program, ...configured], options);
    child.once("error", this.#fail);
    child.once("exit", () => void this.#report(program));
    this.#processes.push(child);
  }

  /** @throws Error when a daemon ends before the promise is settled. */
  settled<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#ended]);
  }

  async stop(): Promise<void> {
    // Nothing of it is kept, so there is nothing to end in order.
    for (const child of this.#processes) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #report(program: string): Promise<void> {
    const names: Record<string, string> = { "ceph-mon": "mon.a", "ceph-osd": "osd.0" };
    const log = join(this.#folder, `${names[program] ?? "client.rgw.a"}.log`);
    const text = await readFile(log, "utf8").catch(() => "");
    this.#fail(new Error(`${program} has ended: ${text.slice(-2_000)}`));
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnLoopback(server);
  server.close();
  await once(server, "close");
  return port;
}

async function untilListening(port: number): Promise<void> {
  const deadline = performance.now() + START_MILLISECONDS;
  while (!(await accepts(port))) {
    if (performance.now() > deadline) throw new Error(`nothing listens on port ${port}`);
    await pause(50);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
