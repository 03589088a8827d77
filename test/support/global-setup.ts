/** Starts one Postgres for the whole run, or uses that of TEST_DATABASE_URL, and makes the template. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { startEmbeddedPostgres } from "../../store/postgres/embedded.ts";
import { migrate } from "../../store/postgres/migrate.ts";
import { openPool } from "../../store/postgres/pool.ts";

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startServer();
  const template = `skep_template_${process.pid}`;
  const admin = openPool(server.url, { max: 1 });
  await admin.unsafe(`drop database if exists ${template}`);
  await admin.unsafe(`create database ${template}`);
  const url = new URL(server.url);
  url.pathname = `/${template}`;
  const sql = openPool(url.href, { max: 1 });
  await migrate(sql);
  await sql.end();
  project.provide("databaseUrl", server.url);
  project.provide("templateDatabase", template);
  return async () => {
    await admin.unsafe(`drop database if exists ${template} with (force)`);
    await admin.end();
    await server.stop();
  };
}

async function startServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const given = process.env.TEST_DATABASE_URL;
  if (given !== undefined) return { url: given, stop: async () => undefined };
  const folder = await mkdtemp(join(tmpdir(), "skep-postgres-"));
  const postgres = await startEmbeddedPostgres({
    folder,
    settings: { fsync: "off", max_connections: "300" },
  });
  return {
    url: postgres.url,
    async stop() {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
