/** Policies as files: YAML, of which JSON is a part. Pure. */
import type { z } from "zod";
import { type PolicyFile, policyDocument } from "../schemas/policy.ts";
import { parseYaml } from "./yaml-text.ts";

// A policy with thousands of exceptions; far below what aliases could make of a small file.
const LONGEST = 1 << 20;

/** @returns the policy, or what is wrong with the text, a line for each. */
export function parsePolicyFile(text: string): PolicyFile | readonly string[] {
  const read = parseYaml(text, LONGEST);
  if ("problems" in read) return read.problems;
  const parsed = policyDocument.safeParse(read.value);
  return parsed.success ? parsed.data : parsed.error.issues.map(problemOf);
}

/** The field as it is found in the file, and what is wrong with it. */
function problemOf(issue: z.core.$ZodIssue): string {
  const path = issue.path
    .map((step) => (typeof step === "number" ? `[${step + 1}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");
  if (issue.code === "unrecognized_keys") {
    return `${path === "" ? "the policy" : path} has no field ${issue.keys.join(", ")}`;
  }
  const isMissing = issue.code === "invalid_type" && issue.message.includes("undefined");
  return `${path === "" ? "the policy" : path}: ${isMissing ? "is missing" : lowerFirst(issue.message)}`;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
