/**
 * Suites that need a program which `npm ci` does not bring. Locally such a suite says in one line that it
 * is left out; with CI=true a missing program is a failure, so that nothing is skipped unseen.
 */
import { execFileSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const said = new Set<string>();

function onPath(name: string): boolean {
  return [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"].some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function leaveOut(what: string): false {
  if (process.env.CI === "true") throw new Error(`CI=true, but ${what}`);
  if (!said.has(what)) console.log(`left out: ${what}`);
  said.add(what);
  return false;
}

/**
 * @param name a program that must be on PATH
 * @returns true when it is there; false, after one line, when it is not.
 * @throws Error when it is not there and CI=true.
 */
export function requireTool(name: string): boolean {
  return onPath(name) || leaveOut(`${name} is not installed`);
}

/**
 * For a program that can be had on few machines, and that a suite can do without even in CI.
 * @returns whether it is on PATH; says so in one line when not.
 */
export function hasTool(name: string): boolean {
  if (onPath(name)) return true;
  const what = `${name} is not installed`;
  if (!said.has(what)) console.log(`left out: ${what}`);
  said.add(what);
  return false;
}

/**
 * For data that lies beside a checkout only sometimes, and that a suite can do without even in CI.
 * @returns whether the file or folder exists; says so in one line when not.
 */
export function optionalData(path: string): boolean {
  if (existsSync(path)) return true;
  if (!said.has(path)) console.log(`left out: ${path} is not there`);
  said.add(path);
  return false;
}

/**
 * mix with Hex's own client (`mix local.hex`), which is in no registry that every machine reaches: left out even in CI.
 * @returns whether it is there.
 */
export function optionalMixHex(): boolean {
  try {
    execFileSync("mix", ["help", "hex.publish"], { stdio: "ignore" });
    return true;
  } catch {
    console.log("left out: mix with hex is not installed");
    return false;
  }
}
