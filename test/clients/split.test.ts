/**
 * As in production: `skep api` and `skep generator` as processes of their own, each with its own Postgres login,
 * and with S3 credentials that reach what it needs and nothing more.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, request } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storeSource } from "../../mirror/source-store.ts";
import { verifyRepository } from "../../mirror/verify.ts";
import { openS3Store } from "../../store/objects/s3.ts";
import { TOKEN_KEY_PEM } from "../support/api-settings.ts";
import { type RunningCeph, startCeph } from "../support/ceph.ts";
import { createTestDatabase } from "../support/database.ts";
import { listenOnLoopback } from "../support/loopback.ts";
import type { TestDatabase } from "../support/open-database.ts";
import { packageTarball } from "../support/package-builder.ts";
import { newPrivateKeyPem } from "../support/signing.ts";
import { requireTool } from "../support/tools.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const SKEP = ["--import", "tsx", join(root, "cli/main.ts")];

type Environment = Readonly<Record<string, string>>;

describe.runIf(requireTool("radosgw"))("two services on S3", () => {
  let folder: string;
  let ceph: RunningCeph;
  let database: TestDatabase;
  let common: Environment;
  let apiOnly: Environment;
  let generatorOnly: Environment;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "skep-split-"));
    ceph = await startCeph();
    const credentials = { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey };
    const s3 = new S3Client({
      endpoint: ceph.endpoint,
      credentials,
      region: "us-east-1",
      forcePathStyle: true,
    });
    for (const Bucket of ["public", "private"]) await s3.send(new CreateBucketCommand({ Bucket }));
    s3.destroy();
    database = await createTestDatabase();
    await writeFile(join(folder, "key.pem"), newPrivateKeyPem(), { mode: 0o600 });
    await writeFile(join(folder, "token-key.pem"), TOKEN_KEY_PEM, { mode: 0o600 });
    const store = (name: string, bucket: string) => ({
      [`SKEP_${name}_STORE`]: `s3://${bucket}`,
      [`SKEP_${name}_STORE_ENDPOINT`]: ceph.endpoint,
      [`SKEP_${name}_STORE_ACCESS_KEY_ID`]: ceph.accessKey,
      [`SKEP_${name}_STORE_SECRET_ACCESS_KEY`]: ceph.secretKey,
    });
    common = {
      PATH: process.env.PATH ?? "",
      HOME: folder,
      SKEP_DATA_DIR: folder,
      DATABASE_URL: database.url,
      ...store("PRIVATE", "private"),
    };
    apiOnly = {
      ...common,
      SKEP_KEY_SECRET: "0123456789abcdef0123456789abcdef",
      SKEP_TOKEN_KEY_FILE: join(folder, "token-key.pem"),
      SKEP_PORT: String(await freePort()),
    };
    generatorOnly = {
      ...common,
      ...store("PUBLIC", "public"),
      SKEP_SIGNING_KEY_FILE: join(folder, "key.pem"),
    };
  });
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await database.drop();
    await ceph.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const skep = (env: Environment, ...args: readonly string[]) =>
    run(process.execPath, [...SKEP, ...args], { cwd: root, env });

  function start(
    env: Environment,
    command: string,
  ): { readonly child: ChildProcess; readonly output: () => string } {
    const child = spawn(process.execPath, [...SKEP, command], {
      cwd: root,
      env,
      stdio: ["ignore", "pipe", "pipe"],
    });
    children.push(child);
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (data: Buffer) => (output += data.toString()));
    return { child, output: () => output };
  }

  it("the API refuses to hold what only the generator may", async () => {
    const tried = {
      ...apiOnly,
      SKEP_SIGNING_KEY_FILE: join(folder, "key.pem"),
      SKEP_FASTLY_TOKEN: "a-token-of-fastly",
    };
    const refused = await skep(tried, "api").catch((error: { code: number; stderr: string }) => error);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain("SKEP_SIGNING_KEY_FILE must not be given to the API");
    expect(refused.stderr).toContain("SKEP_FASTLY_TOKEN must not be given to the API");
    expect(refused.stderr).not.toContain("a-token-of-fastly");
  });

  it("publish reaches the bucket, signed, and goes on when either service is started again", async () => {
    await skep(apiOnly, "migrate");
    const first = { api: start(apiOnly, "api"), generator: start(generatorOnly, "generator") };
    const url = `http://127.0.0.1:${apiOnly.SKEP_PORT}`;
    await until(() => fetch(`${url}/api`, { headers: { "user-agent": "x" } }), first.api.output);
    const account = spawn(
      process.execPath,
      [...SKEP, "user", "create", "ann", "--email", "ann@example.com", "--password-stdin"],
      { cwd: root, env: apiOnly },
    );
    account.stdin.end("a long password\n");
    expect(await new Promise((done) => account.once("exit", done))).toBe(0);
    const { stdout } = await skep(apiOnly, "key", "create", "--user", "ann");
    const authorization = stdout.trim();

    const publish = async (version: string) => {
      const body = new Uint8Array(packageTarball({ metadata: { version } }));
      const reply = await fetch(`${url}/api/publish`, {
        method: "POST",
        headers: { authorization, "user-agent": "x" },
        body,
      });
      return reply.status;
    };
    expect(await publish("1.0.0")).toBe(201);
    first.generator.child.kill("SIGKILL");
    // Accepted and pending: nobody is there to build it.
    expect(await publish("1.1.0")).toBe(201);
    start(generatorOnly, "generator");
    const bucket = {
      bucket: "public",
      endpoint: ceph.endpoint,
      credentials: { accessKeyId: ceph.accessKey, secretAccessKey: ceph.secretKey },
    };
    const store = await openS3Store(bucket);
    await expect.poll(() => store.head("tarballs/example-1.1.0.tar"), { timeout: 30_000 }).toBeDefined();
    await expect
      .poll(async () => (await verifyRepository(storeSource(store), { repositoryName: "local" })).releases, {
        timeout: 20_000,
      })
      .toBe(2);
    const report = await verifyRepository(storeSource(store), { repositoryName: "local" });
    expect(report.findings).toEqual([]);
    await store.close();

    // What is private to nobody is served by credentials that may only read.
    const readOnly = await readOnlyFront(ceph.endpoint);
    const edgePort = await freePort();
    const edge = start(
      {
        PATH: process.env.PATH ?? "",
        SKEP_PUBLIC_STORE: "s3://public",
        SKEP_PUBLIC_STORE_ENDPOINT: readOnly.endpoint,
        SKEP_PUBLIC_STORE_ACCESS_KEY_ID: ceph.accessKey,
        SKEP_PUBLIC_STORE_SECRET_ACCESS_KEY: ceph.secretKey,
        SKEP_URL: url,
        SKEP_PORT: String(edgePort),
      },
      "edge",
    );
    const names = await until(() => fetch(`http://127.0.0.1:${edgePort}/names`), edge.output);
    expect([names.status, names.headers.get("content-type")]).toEqual([200, "application/octet-stream"]);
    expect(readOnly.refused()).toBe(0);
    expect(edge.output()).toContain("API keys are refused");
    edge.child.kill("SIGTERM");
    expect(await new Promise((done) => edge.child.once("exit", done))).toBe(0);
    readOnly.close();

    // SIGTERM ends it well.
    first.api.child.kill("SIGTERM");
    expect(await new Promise((done) => first.api.child.once("exit", done))).toBe(0);
  });
});

/** The same S3 service to somebody who may only read. */
async function readOnlyFront(endpoint: string) {
  let refused = 0;
  const server = createHttpServer((incoming, outgoing) => {
    const { method = "", url = "", headers } = incoming;
    if (method !== "GET" && method !== "HEAD") {
      refused += 1;
      outgoing.writeHead(403).end();
      return;
    }
    request(endpoint + url, { method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    }).end();
  });
  const port = await listenOnLoopback(server);
  return {
    endpoint: `http://127.0.0.1:${port}`,
    refused: () => refused,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function until<T>(work: () => Promise<T>, output: () => string): Promise<T> {
  for (let tries = 0; tries < 200; tries++) {
    try {
      return await work();
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`does not start:\n${output()}`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  await new Promise<void>((done) => server.close(() => done()));
  return typeof address === "object" && address !== null ? address.port : 0;
}
