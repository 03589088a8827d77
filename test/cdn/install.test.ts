/**
 * Through Varnish as CDN, with rebar3 as the client: the next install sees what was published although the old
 * file was cached, and installs go on when everything of ours is stopped.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startServer } from "../../api/server.ts";
import { createEdge } from "../../edge/app.ts";
import { createEdgeReader } from "../../generator/purge/edge-reader.ts";
import { createVarnishPurger } from "../../generator/purge/varnish.ts";
import { MemoryStore } from "../../store/objects/memory.ts";
import { NAME } from "../support/api-settings.ts";
import { packageTarball } from "../support/package-builder.ts";
import { startRegistry, type TestRegistry } from "../support/registry.ts";
import { requireTool } from "../support/tools.ts";
import { startVarnish } from "../support/varnish.ts";

const run = promisify(execFile);
const ready = requireTool("varnishd") && requireTool("rebar3");

describe.runIf(ready)("installs through Varnish", () => {
  let folder: string;
  let registry: TestRegistry;
  let varnish: Awaited<ReturnType<typeof startVarnish>>;
  let origin: Awaited<ReturnType<typeof startServer>>;
  let key: string;
  let pem: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "skep-cdn-"));
    const publicStore = new MemoryStore();
    // The static server alone: installs have nothing else behind the cache.
    const edge = createEdge({
      store: publicStore,
      repository: { name: NAME, public: true },
      surrogateHeaders: true,
    });
    origin = await startServer(edge.fetch, { host: "127.0.0.1", port: 0 });
    varnish = await startVarnish({ originPort: origin.port });
    const purger = createVarnishPurger({ url: varnish.url, token: () => varnish.token });
    const reader = createEdgeReader({ baseUrl: varnish.url, timeoutMs: 5_000 });
    registry = await startRegistry({ publicStore, cdn: { purger, reader } });
    key = await registry.key("ann");
  });
  afterAll(async () => {
    await varnish.stop();
    await origin.stop(100);
    await rm(folder, { recursive: true, force: true });
  });

  async function publish(version: string): Promise<void> {
    const body = new Uint8Array(
      packageTarball({
        metadata: { name: "pear", version, build_tools: ["rebar3"], files: ["src/pear.erl"] },
        entries: [
          {
            name: "src/pear.erl",
            content: `-module(pear). -export([version/0]). version() -> "${version}".`,
          },
          {
            name: "src/pear.app.src",
            content: `{application, pear, [{vsn, "${version}"}, {applications, [kernel, stdlib]}]}.`,
          },
        ],
      }),
    );
    const headers = { authorization: key };
    const reply = await registry.request("/publish", { method: "POST", headers, body });
    expect(reply.status).toBe(201);
  }

  /** @returns the version that a project with an empty cache gets. */
  async function install(): Promise<string> {
    const project = await mkdtemp(join(folder, "project-"));
    const home = join(project, "home");
    await mkdir(join(project, "src"));
    await mkdir(home);
    const repo = `#{name => <<"local">>, repo_url => <<"${varnish.url}">>, repo_public_key => <<"${pem}">>}`;
    await writeFile(
      join(project, "rebar.config"),
      `{deps, [{pear, ">= 1.0.0"}]}.\n{hex, [{repos, [${repo}]}]}.\n`,
    );
    await writeFile(
      join(project, "src/app.app.src"),
      '{application, app, [{vsn, "1.0.0"}, {applications, [kernel, stdlib]}]}.',
    );
    const env = { ...process.env, HOME: home, REBAR_CACHE_DIR: join(home, "cache") };
    const { stdout } = await run("rebar3", ["compile"], { cwd: project, env });
    return /Fetching pear v(\S+)/.exec(stdout)?.[1] ?? stdout;
  }

  it("each publish is what the next install gets, though the file before it was cached", async () => {
    await publish("1.0.0");
    pem = await (await fetch(`${varnish.url}/public_key`)).text();
    expect(await install()).toBe("1.0.0");
    for (const version of ["1.0.1", "1.1.0"]) {
      // Cached again, and again before the next publish.
      await fetch(`${varnish.url}/packages/pear`);
      await publish(version);
      expect(await install()).toBe(version);
    }
  });

  it("with API, generator and database stopped installs go on, and never asked them", async () => {
    expect(registry.apiRequests()).toBe(0);
    await registry.stop();
    expect(await install()).toBe("1.1.0");
    // With the origin gone as well the cache serves what it has.
    await origin.stop(100);
    expect(await install()).toBe("1.1.0");
  });
});
