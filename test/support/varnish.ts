/** A varnishd of its own for a test, with the VCL of `deploy/varnish`, on a free loopback port. */
import { type ChildProcessWithoutNullStreams, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const VCL = fileURLToPath(new URL("../../deploy/varnish/skep.vcl", import.meta.url));
// Debian puts varnishd where the PATH of other users than root does not lead.
const env = { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin` };
const run = promisify(execFile);

export interface VarnishSetup {
  /** Where the origin listens on 127.0.0.1. */
  readonly originPort: number;
  /** Where `skep edge` listens on 127.0.0.1. Default: nowhere. */
  readonly edgePort?: number | undefined;
  readonly token?: string;
  /** Addresses that may purge, in VCL's notation. Default: 127.0.0.1. */
  readonly purgers?: string;
}

export interface RunningVarnish {
  /** `http://127.0.0.1:PORT`, also for PURGE. */
  readonly url: string;
  readonly port: number;
  readonly token: string;
  /** Reads a counter of varnishstat, for example `MAIN.busy_sleep`. */
  counter(name: string): Promise<number>;
  /** Ends it and waits until it has ended. */
  stop(): Promise<void>;
}

export function settingsVcl(setup: VarnishSetup): string {
  return `
backend skep_origin {
  .host = "127.0.0.1"; .port = "${setup.originPort}"; .host_header = "origin.test";
  .connect_timeout = 1s;
}
${
  setup.edgePort === undefined
    ? "backend skep_edge none;"
    : `backend skep_edge { .host = "127.0.0.1"; .port = "${setup.edgePort}"; .host_header = "edge.test"; }`
}
acl skep_purgers { "${setup.purgers ?? "127.0.0.1"}"; }
sub skep_check_purge_token {
  if (req.http.Skep-Purge-Token != "${setup.token ?? "test-token"}") {
    return (synth(401, "The purge token is missing or wrong"));
  }
}
`;
}

/**
 * Compiles the VCL with these settings.
 * @throws Error with varnishd's message when it does not compile.
 */
export async function checkVcl(settings: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "skep-vcl-"));
  try {
    await writeFile(join(folder, "skep-settings.vcl"), settings);
    const parameters = ["-j", "none", "-n", folder, "-p", `vcl_path=${folder}`, "-C", "-f", VCL];
    await run("varnishd", parameters, { env, maxBuffer: 16 * 1024 * 1024 });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws Error with what varnishd said when it does not start. */
export async function startVarnish(setup: VarnishSetup): Promise<RunningVarnish> {
  const folder = await mkdtemp(join(tmpdir(), "skep-varnish-"));
  await writeFile(join(folder, "skep-settings.vcl"), settingsVcl(setup));
  // With -d its command line is our pipe: should this process be killed, the pipe closes and varnishd ends.
  const workFolder = join(folder, "run");
  const parameters = ["-d", "-j", "none", "-n", workFolder, "-a", "127.0.0.1:0"];
  parameters.push("-s", "malloc,16m", "-p", `vcl_path=${folder}`, "-p", "http_gzip_support=off", "-f", VCL);
  const varnishd = spawn("varnishd", parameters, { env });
  const ended = once(varnishd, "exit");
  ended.catch(() => undefined);
  async function stop(): Promise<void> {
    varnishd.stdin.end();
    const timer = setTimeout(() => varnishd.kill("SIGKILL"), 5_000);
    await ended.catch(() => undefined);
    clearTimeout(timer);
    await rm(folder, { recursive: true, force: true });
  }
  try {
    const cli = commandLine(varnishd);
    await cli.answer();
    await cli.ask("start");
    const port = Number(/ (\d+)\s*$/.exec(await cli.ask("debug.listen_address"))?.[1]);
    const url = `http://127.0.0.1:${port}`;
    return {
      url,
      port,
      token: setup.token ?? "test-token",
      async counter(name) {
        const { stdout } = await run("varnishstat", ["-n", workFolder, "-1", "-f", name], { env });
        return Number(/\s(\d+)/.exec(stdout)?.[1]);
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** varnishd's command line: a status and a length in 13 bytes, then that many bytes and a line end. */
function commandLine(varnishd: ChildProcessWithoutNullStreams) {
  let output = "";
  let errors = "";
  let look = () => {};
  varnishd.stdout.setEncoding("latin1").on("data", (chunk: string) => {
    output += chunk;
    look();
  });
  varnishd.stderr.setEncoding("latin1").on("data", (chunk: string) => {
    errors += chunk;
  });
  varnishd.stdin.on("error", () => undefined);

  function answer(): Promise<string> {
    return new Promise((resolve, reject) => {
      const fail = () => reject(new Error(`varnishd did not start: ${errors}${output}`));
      varnishd.once("error", fail).once("exit", fail);
      look = () => {
        const [, status, length] = /^(\d{3}) (\d+) *\n/.exec(output) ?? [];
        if (length === undefined || output.length < 14 + Number(length)) return;
        const body = output.slice(13, 13 + Number(length));
        output = output.slice(14 + Number(length));
        varnishd.off("error", fail).off("exit", fail);
        if (status === "200") resolve(body);
        else reject(new Error(`varnishd: ${body}${errors}`));
      };
      look();
    });
  }

  return {
    answer,
    ask(command: string): Promise<string> {
      varnishd.stdin.write(`${command}\n`);
      return answer();
    },
  };
}
