/**
 * Names of entries as paths inside the package. A name is refused when it leaves the package on any of
 * the systems that packages are unpacked on, or names there another file than the publisher saw.
 */
import { contentsError, type TarballError } from "./errors.ts";
import type { ReadOptions, TarballLimits } from "./limits.ts";

const LEAVES = "The path points above the current working directory";

/**
 * @param name bytes held as Latin-1
 * @param directory whether a `/` may end the name
 * @returns the components of the path; none for the package's own folder (`./`).
 * @throws {TarballError} `contents_path`
 */
export function readPath(
  name: string,
  directory: boolean,
  limits: TarballLimits,
  options: ReadOptions,
): readonly string[] {
  const text = decodeName(name);
  const relative = options.allowLeadingSlash ? text.replace(/^\/+/, "") : text;
  const wrong = whatIsWrong(relative, directory);
  if (wrong !== undefined) throw pathError(text, wrong);
  const components = relative.split("/").filter((component) => component !== "" && component !== ".");
  if (components.length === 0 && !directory) throw pathError(text, "The path is empty");
  const tooLong = components.some((component) => Buffer.byteLength(component) > limits.component);
  if (tooLong || name.length > limits.path) throw pathError(text, "The path is too long");
  return components;
}

/** @throws {TarballError} when the bytes are no UTF-8: what letters they are depends on the system. */
function decodeName(name: string): string {
  if (isAscii(name)) return name;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(name, "latin1"));
  } catch {
    throw pathError(name, "The path is not valid UTF-8");
  }
}

function whatIsWrong(path: string, directory: boolean): string | undefined {
  if (path === "") return "The path is empty";
  if (/^[/\\]/.test(path)) return "The path is absolute";
  if (/^[A-Za-z]:/.test(path)) return "The path names a drive";
  if (isAbove(path)) return LEAVES;
  // Extractors disagree on `a/../b`: some resolve it, some leave the file out.
  if (path.split(/[/\\]/).includes("..")) return "The path contains ..";
  if (path.includes("\\")) return "The path contains a backslash";
  if (/\p{Cc}/u.test(path)) return "The path contains a control character";
  if (path.endsWith("/") && !directory) return "The path of a file ends in a slash";
  return undefined;
}

/** @returns whether the path, resolved as written, leaves the folder it starts in. */
export function isAbove(path: string): boolean {
  let depth = 0;
  for (const component of path.split(/[/\\]/)) {
    if (component === "..") depth -= 1;
    else if (component !== "" && component !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/**
 * @returns what a component is compared by: file systems that ignore case, or how an accent is encoded,
 * take components of the same key for the same file.
 */
export function foldComponent(component: string): string {
  if (isAscii(component)) return component.toLowerCase();
  // By way of upper case, so that `ß` and `ss`, `ſ` and `s` fall together as in Unicode's case folding.
  return component.normalize("NFD").toUpperCase().toLowerCase().normalize("NFC");
}

function isAscii(text: string): boolean {
  return !/[^\p{ASCII}]/u.test(text);
}

function pathError(name: string, reason: string): TarballError {
  return contentsError("contents_path", name, reason);
}
