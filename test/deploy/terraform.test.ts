/**
 * Parsed and looked over here; `terraform fmt` checks it where Terraform is installed, and `terraform validate` where its
 * providers are as well: SKEP_TERRAFORM_PLUGINS names the folder that `terraform providers mirror` has filled.
 */
import { execFile } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { hasTool } from "../support/tools.ts";

const run = promisify(execFile);
// Not imported: its types bring those of browsers into the whole project.
const { parse } = createRequire(import.meta.url)("@cdktn/hcl2json") as {
  parse(file: string, text: string): Promise<Block>;
};
const FOLDER = join(import.meta.dirname, "../../deploy/terraform");

interface Statement {
  readonly sid: string;
  readonly effect?: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}
type Block = Readonly<Record<string, unknown>>;
type Blocks = Readonly<Record<string, readonly Block[]>>;
interface Configuration {
  readonly resource: Readonly<Record<string, Blocks>>;
  readonly data: Readonly<Record<string, Blocks>>;
  readonly variable: Blocks;
  readonly output: Blocks;
  readonly locals: readonly Block[];
}

let whole: Configuration;
beforeAll(async () => {
  const merged: Record<string, unknown> = {};
  for (const file of (await readdir(FOLDER)).filter((name) => name.endsWith(".tf")))
    merge(merged, await parse(file, await readFile(join(FOLDER, file), "utf8")));
  whole = merged as unknown as Configuration;
});

function merge(into: Record<string, unknown>, from: Block): void {
  for (const [name, value] of Object.entries(from)) {
    const there = into[name];
    if (Array.isArray(there)) there.push(...(value as unknown[]));
    else if (typeof there === "object") merge(there as Record<string, unknown>, value as Block);
    else into[name] = value;
  }
}

const statements = (name: string): readonly Statement[] =>
  (whole.data.aws_iam_policy_document?.[name]?.[0]?.statement ?? []) as readonly Statement[];

describe("Terraform", () => {
  it("names nothing that there is not", () => {
    const text = JSON.stringify(whole);
    const locals = Object.assign({}, ...whole.locals) as Block;
    const references: [RegExp, (a: string, b: string) => unknown][] = [
      [/\bvar\.(\w+)/g, (name) => whole.variable[name]],
      [/\blocal\.(\w+)/g, (name) => locals[name]],
      [
        /(?<!data\.)\b((?:aws|fastly)_\w+)\.(\w+)/g,
        (type, name) => whole.resource[type]?.[name] ?? whole.data[type]?.[name],
      ],
      [/\bdata\.(\w+)\.(\w+)/g, (type, name) => whole.data[type]?.[name]],
    ];
    for (const [pattern, find] of references) {
      const found = [...text.matchAll(pattern)];
      expect(found.length).toBeGreaterThan(0);
      for (const [reference, a = "", b = ""] of found)
        expect([reference, find(a, b) !== undefined]).toEqual([reference, true]);
    }
  });

  it("lets nobody do more than they have to", () => {
    const rights = (name: string) =>
      statements(name).flatMap(({ effect = "Allow", actions, resources }) =>
        effect === "Allow" ? actions.flatMap((action) => resources.map((where) => `${action} ${where}`)) : [],
      );
    const isPublic = (right: string) => right.includes("local.public_arn");
    const writes = (right: string) => /Put|Delete/.test(right);
    expect(rights("api").filter(isPublic)).toEqual([]);
    expect(
      rights("generator").filter(
        (right) => writes(right) && !isPublic(right) && !right.includes("skep-probe"),
      ),
    ).toEqual([]);
    for (const name of ["edge", "cdn"]) {
      expect(rights(name).filter(writes)).toEqual([]);
      expect(rights(name).every(isPublic)).toBe(true);
    }
    for (const name of ["api", "generator", "edge", "cdn"])
      for (const right of rights(name)) expect(right).toMatch(/^s3:(Get|Put|Delete)Object |^s3:ListBucket /);
  });

  it("keeps private repositories from the CDN, and both buckets from everybody", () => {
    expect(statements("cdn").find(({ effect }) => effect === "Deny")).toMatchObject({
      actions: ["s3:*"],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: so Terraform writes a reference.
      resources: ["${local.public_arn}/repos/*"],
    });
    expect(whole.resource.aws_s3_bucket_public_access_block?.store?.[0]).toMatchObject({
      block_public_acls: true,
      block_public_policy: true,
      ignore_public_acls: true,
      restrict_public_buckets: true,
    });
  });

  it("brings the VCL every backend and entry that it uses", async () => {
    const vcl = await readFile(join(FOLDER, "../fastly/skep.vcl"), "utf8");
    const [service] = whole.resource.fastly_service_vcl?.repository ?? [];
    const names = (block: string) => ((service?.[block] ?? []) as { name: string }[]).map(({ name }) => name);
    const used = (pattern: RegExp) => [...new Set([...vcl.matchAll(pattern)].map(([, name]) => name))].sort();
    expect(names("backend").sort()).toEqual(used(/= F_(\w+)/g));
    expect(names("dictionary")).toEqual(used(/table\.lookup\((\w+)/g));
    const [items] = whole.resource.fastly_service_dictionary_items?.bucket ?? [];
    expect(Object.keys(items?.items as object).sort()).toEqual(
      used(/table\.lookup\(skep_bucket, "(\w+)"\)/g),
    );
    // One shield for public files, none for private ones.
    const backends = service?.backend as readonly Block[];
    expect(backends.map(({ name, shield }) => [name, shield !== undefined])).toEqual([
      ["bucket", true],
      ["skep_edge", false],
    ]);
  });

  it("shows secrets only when they are asked for", () => {
    for (const [name, [output]] of Object.entries(whole.output))
      expect([name, output?.sensitive ?? false]).toEqual([name, JSON.stringify(output).includes("secret")]);
  });

  it.runIf(hasTool("terraform"))("is formatted", async () => {
    await run("terraform", ["fmt", "-check", "-recursive", FOLDER]);
  });

  it.runIf(hasTool("terraform") && process.env.SKEP_TERRAFORM_PLUGINS)("is valid", async () => {
    const copy = await mkdtemp(join(tmpdir(), "skep-terraform-"));
    await cp(join(FOLDER, ".."), copy, { recursive: true });
    const folder = join(copy, "terraform");
    const plugins = process.env.SKEP_TERRAFORM_PLUGINS ?? "";
    try {
      await run("terraform", [
        `-chdir=${folder}`,
        "init",
        "-backend=false",
        "-input=false",
        `-plugin-dir=${plugins}`,
      ]);
      await run("terraform", [`-chdir=${folder}`, "validate"]);
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  });
});
