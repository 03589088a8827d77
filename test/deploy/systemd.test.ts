import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const FOLDER = join(import.meta.dirname, "../../deploy/systemd");

it("there is a unit for every service", () => {
  expect(readdirSync(FOLDER).sort()).toEqual(
    ["api", "edge", "generator"].map((name) => `skep-${name}.service`),
  );
});

it.each(readdirSync(FOLDER))("%s", (file) => {
  const name = file.replace(/^skep-|\.service$/g, "");
  const lines = readFileSync(join(FOLDER, file), "utf8").split("\n");
  const settings = new Map(
    lines.filter((line) => /^\w+=/.test(line)).map((line) => line.split(/=(.*)/) as [string, string]),
  );
  expect(Object.fromEntries(settings)).toMatchObject({
    EnvironmentFile: `/etc/skep/${name}.env`,
    ExecStart: `/usr/bin/node /opt/skep/dist/cli/main.js ${name}`,
    User: `skep-${name}`,
    Restart: "always",
    // What cli/exit-codes.ts gives a configuration that is wrong.
    RestartPreventExitStatus: "2",
    NoNewPrivileges: "true",
    ProtectSystem: "strict",
    ProtectHome: "true",
  });
});
