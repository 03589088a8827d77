/** A program that starts the embedded Postgres of a folder, says so, and stops it on SIGTERM. */
import { startEmbeddedPostgres } from "../../store/postgres/embedded.ts";

const [folder = "", mode = ""] = process.argv.slice(2);
const server = await startEmbeddedPostgres({
  folder,
  sole: mode === "sole",
  name: `tester (pid ${process.pid})`,
});
if (mode === "keep") server.keepRunning(() => undefined);
process.once("SIGTERM", () => void server.stop().then(() => process.exit(0)));
process.stdout.write(`${JSON.stringify({ url: server.url, pid: server.pid, reused: server.reused })}\n`);
setInterval(() => undefined, 1_000);
