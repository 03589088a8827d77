/** `skep api` in a process of its own, as in production, but without limits on how much one address may ask. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { open, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { freePort } from "../cli/skep.ts";
import { TOKEN_KEY_PEM } from "../support/api-settings.ts";
import { REPOSITORY } from "./corpus.ts";

export interface ApiProcess {
  readonly port: number;
  stop(): Promise<void>;
}

const START_SECONDS = 60;

/** @param folder for its files, the log among them */
export async function startApiProcess(folder: string, databaseUrl: string): Promise<ApiProcess> {
  const port = await freePort();
  const tokenKeyFile = join(folder, "token-key.pem");
  const logFile = join(folder, "log");
  await writeFile(tokenKeyFile, TOKEN_KEY_PEM, { mode: 0o600 });
  const { PATH = "", HOME = "" } = process.env;
  const log = await open(logFile, "w");
  const child = spawn(process.execPath, ["--import", "tsx", "cli/main.ts", "api"], {
    cwd: resolve(import.meta.dirname, "../.."),
    env: {
      PATH,
      HOME,
      DATABASE_URL: databaseUrl,
      SKEP_KEY_SECRET: randomBytes(32).toString("hex"),
      SKEP_TOKEN_KEY_FILE: tokenKeyFile,
      SKEP_PRIVATE_STORE: `folder:${join(folder, "private")}`,
      SKEP_REPOSITORY: REPOSITORY.name,
      SKEP_PORT: String(port),
      SKEP_ADDRESS_LIMIT: "0",
    },
    // Not a pipe: this process would read the log while it measures.
    stdio: ["ignore", "ignore", log.fd],
  });
  await log.close();
  const ended = once(child, "exit");
  const stop = async () => {
    child.kill();
    await ended;
  };
  const deadline = performance.now() + START_SECONDS * 1000;
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      if (child.exitCode === null) await stop();
      throw new Error(`the API does not start: ${await readFile(logFile, "utf8")}`);
    }
    await new Promise((done) => setTimeout(done, 100));
  }
  return { port, stop };
}

async function answers(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/status`).then(
    ({ ok }) => ok,
    () => false,
  );
}
