/** Section 1.3 and what hostile clients send: no body of any type costs more than its bounds, in size, depth or time. */
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeTerm } from "../../hex/etf/encode.ts";
import { apiClient, type Client } from "../support/api-client.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";

let registry: TestRegistry;
let call: Client;
let key: string;
beforeAll(async () => {
  registry = await startRegistry({ generator: false, settings: { uploadPieceMilliseconds: 100 } });
  call = apiClient(registry);
  key = await registry.key("ann");
});
afterAll(() => registry.stop());

const ERLANG = "application/vnd.hex+erlang";
const TYPES = [
  "application/json",
  "application/vnd.hex+json",
  "application/x-www-form-urlencoded",
  ERLANG,
  "application/octet-stream",
  "application/x-tar",
  "multipart/form-data; boundary=x",
  "text/plain",
];

const send = (type: string | undefined, body: string | Uint8Array, headers: Record<string, string> = {}) =>
  registry.request("/keys", {
    method: "POST",
    headers: { authorization: key, ...(type === undefined ? {} : { "content-type": type }), ...headers },
    body: typeof body === "string" ? Buffer.from(body) : new Uint8Array(body),
  });

async function told(response: Response) {
  return [response.status, ((await response.json()) as { message: string }).message];
}

describe.each(TYPES)("%s", (type) => {
  it("beyond eight megabytes: 413, announced or not", async () => {
    const body = Buffer.alloc(8_000_001, "a");
    expect(await told(await send(type, body))).toEqual([413, "Payload too large"]);
    expect(await told(await send(type, "a=b", { "content-length": "8000001" }))).toEqual([
      413,
      "Payload too large",
    ]);
  });

  it("that stops in the middle: 408", async () => {
    const { port } = new URL(registry.url);
    const socket = connect(Number(port), "127.0.0.1");
    const lines = ["POST /api/keys HTTP/1.1", "host: x", "user-agent: x", `content-type: ${type}`];
    socket.write(`${lines.join("\r\n")}\r\ncontent-length: 1000\r\n\r\nsome`);
    const answer = await new Promise<string>((resolve) => {
      let text = "";
      socket.on("data", (chunk) => {
        text += chunk.toString();
        if (text.includes("Request timeout")) resolve(text);
      });
      socket.on("close", () => resolve(text));
    });
    socket.destroy();
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('{"status":408,"message":"Request timeout"}');
  });

  it("that is compressed is not inflated", async () => {
    const bomb = gzipSync(Buffer.alloc(64 << 20, "{}"));
    const before = process.memoryUsage().rss;
    const response = await send(type, bomb, { "content-encoding": "gzip" });
    expect([400, 422]).toContain(response.status);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
  });
});

describe("1.3: each type", () => {
  const made = (name: string) => ({ status: 201, name });
  const form = "application/x-www-form-urlencoded";

  it.each<[string | undefined, string | Uint8Array, { status: number; name?: string }]>([
    ["application/json", '{"name":"a"}', made("a")],
    ["application/json; charset=utf-8", '{"name":"b"}', made("b")],
    ["APPLICATION/JSON", '{"name":"c"}', made("c")],
    ["application/vnd.hex+json", '{"name":"d"}', made("d")],
    [form, "name=e%20e&permissions=", { status: 422 }],
    [form, "name=f+f", made("f f")],
    [ERLANG, encodeTerm({ name: "g" }), made("g")],
    // Left unparsed, so that nothing was sent.
    ["application/octet-stream", '{"name":"h"}', { status: 422 }],
    [undefined, '{"name":"h"}', { status: 422 }],
    // Empty bodies are maps without anything.
    ["application/json", "", { status: 422 }],
    [ERLANG, "", { status: 422 }],
    // Anything but a map is a parameter that nobody asks for.
    ["application/json", '"text"', { status: 422 }],
    ["application/json", "5", { status: 422 }],
    [ERLANG, encodeTerm(["x"]), { status: 422 }],
    ["application/json", '{"name":"h"', { status: 400 }],
    [form, "name=%ff", { status: 400 }],
    [form, "name=100%", { status: 400 }],
    [form, Buffer.from([0x6e, 0x3d, 0xff]), { status: 400 }],
  ])("%s %s", async (type, body, wanted) => {
    const response = await send(type, body);
    const text = await response.text();
    const { name, errors } = JSON.parse(text) as { name?: string; errors?: object };
    expect({ status: response.status, name }).toEqual({ name: undefined, ...wanted });
    if (wanted.status === 422) {
      const blank = { name: "can't be blank" };
      expect([blank, { permissions: "expected type list(map)" }]).toContainEqual(errors);
    }
  });

  it("blank texts are missing values, and are dropped from lists", async () => {
    const blank = { name: "\t\n ", permissions: [] };
    expect((await call("POST", "/keys", { as: key, body: blank })).body.errors).toEqual({
      name: "can't be blank",
    });
    const some = { name: "list", permissions: [" ", { domain: "api", resource: "  " }] };
    expect((await call("POST", "/keys", { as: key, body: some })).body.permissions).toEqual([
      { domain: "api", resource: null },
    ]);
  });

  it.each(["/keys", "/users", "/short_url", "/packages/x/retire", "/oauth/token", "/orgs/x/members"])(
    "%s: a body of every wrong shape is an answer, and no error of ours",
    async (path) => {
      const values = [null, true, 0, -1.5, 1e300, "", "x", [], ["x"], {}, { a: {} }, "\u{1f350}", [[[]]]];
      const fields = [
        "name",
        "username",
        "email",
        "emails",
        "url",
        "permissions",
        "reason",
        "role",
        "revoke_at",
      ];
      fields.push("client_id", "grant_type", "scope", "password", "_method", "repository", "seats");
      for (const value of values) {
        const body = Object.fromEntries(fields.map((field) => [field, value]));
        const { status } = await call("POST", path, { as: key, body });
        expect(status, JSON.stringify(value)).toBeLessThan(500);
      }
    },
  );
});
