/** Starts `test/faults/api-process.ts` and talks to it. */
import { type ChildProcess, spawn } from "node:child_process";
import { resolve } from "node:path";
import type { ApiProcessSetup } from "../faults/api-process.ts";

const root = resolve(import.meta.dirname, "../..");

export interface ApiProcess {
  readonly url: string;
  readonly child: ChildProcess;
  /** Resolves with the signal when the process has ended. */
  readonly ended: Promise<string | null>;
  kill(): Promise<void>;
}

export async function startApiProcess(setup: ApiProcessSetup): Promise<ApiProcess> {
  const script = resolve(root, "test/faults/api-process.ts");
  const child = spawn(process.execPath, ["--import", "tsx", script, JSON.stringify(setup)], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise<string | null>((done) => child.once("exit", (_, signal) => done(signal)));
  const port = await new Promise<string>((done, fail) => {
    child.stdout?.once("data", (data: Buffer) => done(data.toString().trim()));
    child.once("exit", (code) => fail(new Error(`the API ended with ${code}`)));
  });
  return {
    url: `http://127.0.0.1:${port}/api`,
    child,
    ended,
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}
