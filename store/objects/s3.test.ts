/** How the S3 driver meets a service that fails. What it does with one that works: the contract suite. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openS3Store, S3Store } from "./s3.ts";
import type { S3Settings } from "./s3-settings.ts";

const SECRET = "secret-access-key-7f";
const ETAG = "0123456789abcdef0123456789abcdef";
const NONE = { precondition: { kind: "none" } } as const;
const MATCH = { precondition: { kind: "match", etag: ETAG } } as const;
const BODY = Buffer.from("x");

let server: Server;
let settings: S3Settings;
let requests: IncomingMessage[];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
let stores: S3Store[];

beforeEach(async () => {
  requests = [];
  stores = [];
  server = createServer((request, response) => {
    requests.push(request);
    request.resume().on("end", () => answer(request, response));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  settings = {
    bucket: "bucket",
    endpoint: `http://127.0.0.1:${port}`,
    credentials: { accessKeyId: "access-key-id-3c", secretAccessKey: SECRET },
    requestTimeoutMs: 5_000,
  };
});
afterEach(async () => {
  for (const store of stores) await store.close();
  server.closeAllConnections();
  server.close();
});

function open(changes: Partial<S3Settings> = {}): S3Store {
  const store = new S3Store({ ...settings, ...changes });
  stores.push(store);
  return store;
}

function says(status: number, code: string) {
  return (_: IncomingMessage, response: ServerResponse) =>
    void response
      .writeHead(status, { "content-type": "application/xml" })
      .end(
        `<?xml version="1.0"?><Error><Code>${code}</Code><AWSAccessKeyId>${SECRET}</AWSAccessKeyId></Error>`,
      );
}

describe("answers to a write", () => {
  it.each([
    [412, "PreconditionFailed", MATCH, "store_precondition"],
    [412, "PreconditionFailed", { precondition: { kind: "absent" } }, "store_precondition"],
    [404, "NoSuchKey", MATCH, "store_not_found"],
    [404, "NoSuchBucket", MATCH, "store_unavailable"],
    [409, "ConditionalRequestConflict", MATCH, "store_unavailable"],
    [403, "AccessDenied", NONE, "store_unavailable"],
    [500, "InternalError", NONE, "store_unavailable"],
    [503, "SlowDown", NONE, "store_unavailable"],
  ] as const)("%i %s", async (status, code, options, expected) => {
    // Something else is there, should it look.
    answer = (request, response) =>
      request.method === "HEAD"
        ? void response.writeHead(200, { etag: `"${ETAG}"` }).end()
        : says(status, code)(request, response);
    await expect(open().put("a", BODY, options)).rejects.toMatchObject({ code: expected });
    // A second try could meet what the first one did.
    expect(requests.filter((request) => request.method === "PUT")).toHaveLength(1);
  });

  it("412 where there is nothing to match, as Ceph says it", async () => {
    answer = (request, response) => says(request.method === "HEAD" ? 404 : 412, "None")(request, response);
    await expect(open().put("a", BODY, MATCH)).rejects.toMatchObject({ code: "store_not_found" });
  });

  it.each([
    [412, "store_precondition"],
    [500, "store_unavailable"],
  ] as const)("%i to a deletion", async (status, code) => {
    answer = says(status, "None");
    await expect(open().delete("a", { ifMatch: ETAG })).rejects.toMatchObject({ code });
    expect(requests).toHaveLength(1);
  });

  it("404 to a deletion: it is gone", async () => {
    answer = says(404, "NoSuchKey");
    await open().delete("a", { ifMatch: ETAG });
    await open().delete("a");
  });
});

describe("requests", () => {
  it("name ETags as HTTP does, and carry a digest of the body", async () => {
    answer = (_, response) => void response.writeHead(200, { etag: `"${ETAG}"` }).end();
    expect(await open().put("packages/a", BODY, MATCH)).toEqual({ etag: ETAG });
    await open().put("packages/a", BODY, { precondition: { kind: "absent" } });
    await open().delete("packages/a", { ifMatch: ETAG });
    expect(requests.map(({ headers }) => [headers["if-match"], headers["if-none-match"]])).toEqual([
      [`"${ETAG}"`, undefined],
      [undefined, "*"],
      [`"${ETAG}"`, undefined],
    ]);
    expect(requests[0]?.url).toBe("/bucket/packages/a?x-id=PutObject");
    expect(requests[0]?.headers).toMatchObject({
      "content-md5": createHash("md5").update(BODY).digest("base64"),
      "content-length": "1",
    });
    expect(requests[0]?.headers).not.toHaveProperty("x-amz-checksum-crc32");
    expect(requests[0]?.headers).not.toHaveProperty("content-encoding");
  });

  it("read again by themselves when the service is busy", async () => {
    answer = (request, response) =>
      requests.length < 3
        ? says(503, "SlowDown")(request, response)
        : void response.writeHead(200, { etag: `"${ETAG}"`, "content-length": 1 }).end("x");
    expect((await open().get("a"))?.body).toEqual(BODY);
    expect(requests).toHaveLength(3);
  });

  it("give up after a time: no answer, half a body, no connection", async () => {
    const hurried = open({ requestTimeoutMs: 100 });
    const lost = { code: "store_unavailable" };
    answer = () => {};
    await expect(hurried.put("a", BODY, NONE)).rejects.toMatchObject(lost);
    await expect(hurried.get("a")).rejects.toMatchObject(lost);
    answer = (_, response) => void response.writeHead(200, { "content-length": 10 }).write("half");
    await expect(hurried.get("a")).rejects.toMatchObject(lost);
    answer = (request, response) => {
      response.writeHead(200, { "content-length": 10 }).write("half");
      request.socket.end();
    };
    await expect(hurried.get("a")).rejects.toMatchObject(lost);
    const nowhere = open({ endpoint: "http://127.0.0.1:9" });
    await expect(nowhere.put("a", BODY, NONE)).rejects.toMatchObject(lost);
  });
});

describe("secrets", () => {
  it("are in no description and no error", async () => {
    answer = says(403, "SignatureDoesNotMatch");
    const store = open();
    const errors = [
      await store.put("a", BODY, NONE).catch((error: unknown) => error),
      await store.get("a").catch((error: unknown) => error),
      await openS3Store(settings).catch((error: unknown) => error),
    ];
    for (const error of errors) {
      expect(error).toMatchObject({ code: "store_unavailable" });
      expect(error).not.toHaveProperty("cause");
      expect(JSON.stringify([error, String(error), store.description])).not.toContain(SECRET);
    }
  });

  it.each(["https://user:password@host", "ftp://host", "host:9000", ""])(
    "endpoint %j is refused",
    (endpoint) => {
      expect(() => open({ endpoint })).toThrow(/an S3 endpoint is an http\(s\) URL/);
    },
  );
});

it.each([
  ["some/folder", "/bucket/some/folder/a"],
  ["some/folder/", "/bucket/some/folder/a"],
  ["", "/bucket/a"],
])("prefix %j", async (prefix, path) => {
  answer = says(404, "NoSuchKey");
  const store = open({ prefix });
  expect(await store.get("a")).toBeUndefined();
  expect(requests[0]?.url?.split("?")[0]).toBe(path);
});

it.each(["/abs", "../up", "a//b"])("prefix %j is refused", (prefix) => {
  expect(() => open({ prefix })).toThrow(/the key/);
});
