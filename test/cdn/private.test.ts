/** Private repositories through Varnish and a server of files of their own, as `deploy/` sets them up. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, startServer } from "../../api/server.ts";
import { createEdge, type ServedRequest } from "../../edge/app.ts";
import { storedPublicKey } from "../../edge/key-set.ts";
import { createPrivateReaders } from "../../edge/readers.ts";
import { fixedKeys, RenewedKeys } from "../../edge/renewed-keys.ts";
import { createEdgeReader, type EdgeReader } from "../../generator/purge/edge-reader.ts";
import { createReaderToken } from "../../generator/purge/reader-token.ts";
import { createVarnishPurger } from "../../generator/purge/varnish.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import { KEY_SECRET, NAME, TOKEN_KEYS } from "../support/api-settings.ts";
import { createTestDatabase } from "../support/database.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { testSigner } from "../support/signing.ts";
import { requireTool } from "../support/tools.ts";
import { type RunningVarnish, startVarnish } from "../support/varnish.ts";

const ITS_OWN = { domain: "repository", resource: "acme" };

describe.runIf(requireTool("varnishd"))("a private repository through Varnish", () => {
  const publicStore = new MemoryStore();
  const repository = { name: NAME, public: true };
  const served: ServedRequest[] = [];
  let varnish: RunningVarnish;
  let registry: TestRegistry;
  let reader: EdgeReader;
  let edge: RunningServer;

  beforeAll(async () => {
    const database = await createTestDatabase();
    const registryKeys = new RenewedKeys({
      load: () => storedPublicKey(publicStore, repository),
      now: () => performance.now(),
      onFailure: () => undefined,
    });
    const readers = createPrivateReaders({
      apiKeys: { sql: database.pool({ role: "skep_edge", max: 2 }), secret: KEY_SECRET },
      tokenKeys: fixedKeys(TOKEN_KEYS),
      registryKeys,
      clock: () => new Date(),
    });
    const onRequest = (request: ServedRequest) => void served.push(request);
    const files = createEdge({ store: publicStore, repository, readers, surrogateHeaders: true, onRequest });
    edge = await startServer(files.fetch, { host: "127.0.0.1", port: 0 });
    varnish = await startVarnish({ originPort: edge.port, edgePort: edge.port });
    const token = createReaderToken(testSigner(), () => new Date());
    reader = createEdgeReader({ baseUrl: varnish.url, timeoutMs: 5_000, token });
    const purger = createVarnishPurger({ url: varnish.url, token: () => varnish.token });
    registry = await startRegistry({ database, publicStore, cdn: { purger, reader } });
    await registry.organization("acme", { ann: "write", bea: "read" });
  });
  afterAll(async () => {
    await registry?.stop();
    await varnish?.stop();
    await edge?.stop(100);
  });

  async function publish(version: string): Promise<void> {
    const headers = { authorization: await registry.key("ann") };
    const body = new Uint8Array(packageTarball({ metadata: { version } }));
    const { status } = await registry.request("/repos/acme/publish", { method: "POST", headers, body });
    expect(status).toBe(201);
  }

  const fetchFile = (path: string, authorization: string) =>
    fetch(`${varnish.url}/repos/acme/${path}`, { headers: { authorization } });

  it("is read back by the generator before a publish returns, and is there then", async () => {
    const key = await registry.key("bea", [ITS_OWN]);
    for (const version of ["1.0.0", "1.1.0", "1.2.0"]) {
      served.length = 0;
      await publish(version);
      const readBack = served.map(({ key, status }) => `${status} ${key}`);
      expect(readBack).toContain("200 repos/acme/packages/example");
      const file = await fetchFile("packages/example", key);
      expect(file.headers.get("etag")).toBe(
        `"${(await publicStore.head("repos/acme/packages/example"))?.etag}"`,
      );
      expect((await fetchFile(`tarballs/example-${version}.tar`, key)).status).toBe(200);
    }
    expect(await reader.etag("repos/acme/tarballs/example-9.9.9.tar")).toBeUndefined();
  });

  it("is nobody's any more from the moment on in which they may not read it", async () => {
    const key = await registry.key("bea", [ITS_OWN]);
    expect((await fetchFile("packages/example", key)).status).toBe(200);
    const { sql } = registry.database;
    await sql`delete from memberships where user_id = (select id from users where username = 'bea')`;
    expect((await fetchFile("packages/example", key)).status).toBe(403);
    expect((await fetchFile("packages/example", "")).status).toBe(401);
  });
});
