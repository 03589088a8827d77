/**
 * Where the symbolic links of a package lead. A link is safe when its target stays in the package read
 * as it is written, which is what clients check, and followed through all the other links, which is
 * what a file system does: with `a/b -> ..`, the target `a/b/..` is inside as written, but it is not.
 */
import { contentsError, type TarballError } from "./errors.ts";
import { foldComponent, isAbove } from "./paths.ts";
import { type ContentsTree, nameOf, type TreeFolder, type TreeLink } from "./tree.ts";

// Systems give up after 40 links. The steps bound the work for thousands of links through long chains.
const MAX_HOPS = 40;
const MAX_STEPS = 500_000;

/** @throws {TarballError} `contents_symlink` */
export function checkSymlinks(tree: ContentsTree): void {
  const budget = { steps: MAX_STEPS };
  for (const link of tree.links) {
    const wrong = whatIsWrong(link, budget);
    if (wrong !== undefined) throw unsafe(link, wrong);
  }
}

function whatIsWrong(link: TreeLink, budget: { steps: number }): string | undefined {
  const { target } = link;
  if (target === "") return "it points nowhere";
  if (/[\\\p{Cc}]/u.test(target)) return "its target contains a backslash or a control character";
  if (/^(?:\/|[A-Za-z]:)/.test(target)) return "its target is absolute";
  if (isAbove([...ancestors(link).map(nameOf), target].join("/"))) return "it points out of the package";
  return follow(link, budget);
}

/** Walks from folder to folder as the system would, with what is not there taken as an empty folder. */
function follow(link: TreeLink, budget: { steps: number }): string | undefined {
  const at: (TreeFolder | undefined)[] = ancestors(link);
  const pending = split(link.target).reverse();
  let hops = 0;
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    budget.steps -= 1;
    if (budget.steps < 0) return "the package has too many links";
    if (next === "..") {
      at.pop();
      if (at.length === 0) return "it points out of the package through another link";
      continue;
    }
    const child = at.at(-1)?.children.get(foldComponent(next));
    if (child !== undefined && nameOf(child) !== next) return "its target differs in case or encoding";
    if (typeof child !== "object" || child.kind === "directory") {
      at.push(typeof child === "object" ? child : undefined);
      continue;
    }
    hops += 1;
    if (hops > MAX_HOPS) return "it leads in a circle, or through more than 40 links";
    pending.push(...split(child.target).reverse());
  }
  return undefined;
}

/** @returns the folders from the package's own, whose name is empty, to the one that the link lies in. */
function ancestors(link: TreeLink): TreeFolder[] {
  const folders: TreeFolder[] = [];
  for (let at: TreeFolder | undefined = link.parent; at !== undefined; at = at.parent) folders.push(at);
  return folders.reverse();
}

function split(path: string): string[] {
  return path.split("/").filter((component) => component !== "" && component !== ".");
}

function unsafe(link: TreeLink, reason: string): TarballError {
  const path = [...ancestors(link), link].map(nameOf).join("/").slice(1);
  return contentsError("contents_symlink", link.target, `unsafe_symlink ${path}: ${reason}`);
}
