/**
 * The files of a package as they will lie on disk: whether all of them can, and stay inside. Every
 * entry is placed in the tree, whatever order they come in; links are resolved when all are known.
 *
 * An upload may hold a quarter of a million entries, so a plain file is no more here than its name.
 */
import { contentsError, TarballError } from "./errors.ts";
import { foldComponent } from "./paths.ts";

export type EntryKind = "file" | "directory" | "symlink";

/** A file or link of `contents.tar.gz`. */
export interface PackageFile {
  /** Relative, with `/` between the components. */
  readonly path: string;
  readonly kind: "file" | "symlink";
}

export interface TreeFolder {
  readonly kind: "directory";
  readonly name: string;
  /** Undefined for the package's own folder. */
  readonly parent: TreeFolder | undefined;
  /** By {@link foldComponent}. */
  readonly children: Map<string, TreeChild>;
}

export interface TreeLink {
  readonly kind: "symlink";
  readonly name: string;
  readonly parent: TreeFolder;
  readonly target: string;
}

/** A string is a plain file of that name. */
export type TreeChild = string | TreeFolder | TreeLink;

// Rounded up from measurements; the strings come on top.
const COST = { file: 100, directory: 350, symlink: 200, repeated: 300 } as const;

export class ContentsTree {
  readonly root: TreeFolder = { kind: "directory", name: "", parent: undefined, children: new Map() };
  readonly links: TreeLink[] = [];
  /** Paths of files that came more than once. */
  readonly repeated = new Set<string>();
  #bytesLeft: number;

  /** @param maxBytes roughly the memory that the tree may take */
  constructor(maxBytes: number) {
    this.#bytesLeft = maxBytes;
  }

  /**
   * @param path the components; for none at all nothing is added
   * @throws {TarballError} `contents_conflict`, or `contents_too_big` for too many entries.
   */
  add(path: readonly string[], kind: EntryKind, target = ""): void {
    const name = path.at(-1);
    if (name === undefined) return;
    const parent = this.#folder(path);
    const present = find(parent, name, path);
    if (present === undefined) this.#insert(parent, name, kind, target);
    else this.#again(kindOf(present), kind, path);
  }

  /** @returns the folder that the path lies in, made where it was not named before. */
  #folder(path: readonly string[]): TreeFolder {
    let at = this.root;
    for (const component of path.slice(0, -1)) {
      const child = find(at, component, path) ?? this.#insert(at, component, "directory", "");
      if (typeof child === "string" || child.kind !== "directory") {
        throw conflict(path, `The path goes through a ${kindOf(child)}`);
      }
      at = child;
    }
    return at;
  }

  #insert(parent: TreeFolder, component: string, kind: EntryKind, target: string): TreeChild {
    this.#pay(COST[kind] + component.length + target.length);
    // A copy, as a part of a string keeps the whole of it in memory.
    const name = Buffer.from(component).toString();
    const child = newChild(parent, name, kind, target);
    parent.children.set(foldComponent(name), child);
    if (typeof child !== "string" && child.kind === "symlink") this.links.push(child);
    return child;
  }

  // Older clients list a folder's files and pack the folder as well, so the same file may come twice.
  #again(present: EntryKind, kind: EntryKind, path: readonly string[]): void {
    if (present !== kind || kind === "symlink") throw conflict(path, "Duplicate entry");
    if (kind === "directory") return;
    const text = path.join("/");
    if (!this.repeated.has(text)) this.#pay(COST.repeated + text.length);
    this.repeated.add(text);
  }

  #pay(bytes: number): void {
    this.#bytesLeft -= bytes;
    if (this.#bytesLeft < 0) {
      throw new TarballError("contents_too_big", "inner tarball error, too many entries");
    }
  }
}

/** @returns all files and links of a folder, those of its folders included, in the order they came. */
export function listFiles(folder: TreeFolder, prefix = ""): PackageFile[] {
  return [...folder.children.values()].flatMap((child): PackageFile[] => {
    if (typeof child === "string") return [{ path: prefix + child, kind: "file" }];
    if (child.kind === "directory") return listFiles(child, `${prefix}${child.name}/`);
    return [{ path: prefix + child.name, kind: "symlink" }];
  });
}

export function nameOf(child: TreeChild): string {
  return typeof child === "string" ? child : child.name;
}

function kindOf(child: TreeChild): EntryKind {
  return typeof child === "string" ? "file" : child.kind;
}

function newChild(parent: TreeFolder, name: string, kind: EntryKind, target: string): TreeChild {
  if (kind === "file") return name;
  if (kind === "directory") return { kind, name, parent, children: new Map() };
  return { kind, name, parent, target };
}

/** @returns the child, where its name is the very same. */
function find(parent: TreeFolder, name: string, path: readonly string[]): TreeChild | undefined {
  const child = parent.children.get(foldComponent(name));
  if (child === undefined || nameOf(child) === name) return child;
  throw conflict(path, `The path differs from another one only in case or encoding (${nameOf(child)})`);
}

function conflict(path: readonly string[], reason: string): TarballError {
  return contentsError("contents_conflict", path.join("/"), reason);
}
