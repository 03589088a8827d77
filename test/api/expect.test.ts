/** Uploads over a real socket: `Expect: 100-continue`, slow and oversized clients. */
import { connect, type Socket } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let key: string;
beforeAll(async () => {
  registry = await startRegistry({ settings: { uploadPieceMilliseconds: 200 } });
  key = await registry.key("ann");
});
afterAll(() => registry.stop());

interface Conversation {
  readonly socket: Socket;
  /** Resolves with everything received so far, once it matches. */
  received(pattern: RegExp): Promise<string>;
}

async function open(path: string, headers: Readonly<Record<string, string>>): Promise<Conversation> {
  const { port } = new URL(registry.url);
  const socket = connect(Number(port), "127.0.0.1");
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    socket.emit("said");
  });
  socket.on("error", () => undefined);
  const lines = Object.entries({ host: "x", "user-agent": "test", ...headers }).map(
    ([name, value]) => `${name}: ${value}`,
  );
  socket.write(`POST /api${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
  return {
    socket,
    received: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => pattern.test(text) && resolve(text);
        socket.on("said", look);
        socket.once("close", () =>
          pattern.test(text) ? resolve(text) : reject(new Error(`closed after: ${text}`)),
        );
        look();
      }),
  };
}

const EXPECT = { expect: "100-continue" };
const DOCS = "/packages/example/releases/1.0.0/docs";

it("publishes after the continue that it waited for", async () => {
  const body = packageTarball();
  const { socket, received } = await open("/packages/example/releases", {
    ...EXPECT,
    authorization: key,
    "content-length": String(body.length),
  });
  expect(await received(/^HTTP\/1\.1 \d+ [\s\S]*?\r\n\r\n/)).toMatch(/^HTTP\/1\.1 100 Continue/);
  socket.write(body);
  expect(await received(/HTTP\/1\.1 201/)).toContain("location: /api/packages/example/releases/1.0.0");
  socket.destroy();
});

it.each([
  [
    "a bad key",
    "/packages/example/releases",
    { authorization: "0".repeat(32), "content-length": "100" },
    401,
  ],
  ["nobody", "/packages/example/releases", { "content-length": "100" }, 401],
  ["nobody, docs", DOCS, { "content-length": "100" }, 403],
])("1.8, 16.8: %s: the final answer at once, and no continue", async (_, path, headers, status) => {
  const { socket, received } = await open(path, { ...EXPECT, ...headers } as Record<string, string>);
  const answer = await received(/\r\n\r\n/);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
  expect(answer).not.toContain("100 Continue");
  expect(socket.bytesWritten).toBeLessThan(400);
  socket.destroy();
});

it.each(["/packages/example/releases", "/publish", DOCS])(
  "1.8: %s announced as too large: 422 without reading it",
  async (path) => {
    const { socket, received } = await open(path, {
      ...EXPECT,
      authorization: key,
      "content-length": String((16 << 20) + 1),
    });
    const answer = await received(/"errors":\{[^}]*\}/);
    expect(answer).toMatch(/^HTTP\/1\.1 422 /);
    expect(answer).toContain('"tar":"too big"');
    socket.destroy();
  },
);

it("1.8: without a length: 411", async () => {
  const { socket, received } = await open("/packages/example/releases", {
    ...EXPECT,
    authorization: key,
    "transfer-encoding": "chunked",
  });
  expect(await received(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 411 /);
  socket.destroy();
});

it("a client that stops in the middle: 408", async () => {
  const { socket, received } = await open("/packages/example/releases", {
    authorization: key,
    "content-length": "1000",
  });
  socket.write("some");
  expect(await received(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 408 /);
  socket.destroy();
});

it("a body beyond the hard stop: 413", async () => {
  const { socket, received } = await open("/packages/example/releases", {
    authorization: key,
    "content-length": String(21 << 20),
  });
  expect(await received(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 413 /);
  socket.destroy();
});

it("documentation is kept as it came, even when it says that it is gzip", async () => {
  const { gzipSync } = await import("node:zlib");
  const docs = gzipSync(Buffer.alloc(10_240));
  const response = await fetch(`${registry.url}/api${DOCS}`, {
    method: "POST",
    headers: {
      authorization: key,
      "user-agent": "gleam",
      "content-type": "application/x-tar",
      "content-encoding": "x-gzip",
    },
    body: new Uint8Array(docs),
  });
  expect([response.status, await response.text()]).toEqual([201, ""]);
  const location = response.headers.get("location") ?? "";
  expect(location).toBe(`${registry.url}/repo/docs/example-1.0.0.tar.gz`);
  const served = await fetch(location);
  expect(Buffer.from(await served.arrayBuffer()).equals(docs)).toBe(true);
  const redirect = await fetch(`${registry.url}/api${DOCS}`, {
    redirect: "manual",
    headers: { "user-agent": "x" },
  });
  expect([redirect.status, redirect.headers.get("location")]).toEqual([302, location]);
  const bad = await fetch(`${registry.url}/api${DOCS}`, {
    method: "POST",
    headers: { authorization: key, "user-agent": "x" },
    body: "no gzip",
  });
  expect(await bad.json()).toMatchObject({ status: 422, errors: { tar: "invalid gzip" } });
  for (const status of [204, 204]) {
    const removed = await fetch(`${registry.url}/api${DOCS}`, {
      method: "DELETE",
      headers: { authorization: key, "user-agent": "x" },
    });
    expect(removed.status).toBe(status);
  }
  expect((await fetch(location)).status).toBe(404);
});
