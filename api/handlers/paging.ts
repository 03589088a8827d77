/** Which page of a list is asked for. */
import { type Call, textParameter } from "../call.ts";

export const PAGE_SIZE = 100;

/** @returns the page, counted from 1; what is no such number is the first. */
export function pageOf(call: Call): number {
  return Math.max(wholeNumber(textParameter(call, "page")) ?? 1, 1);
}

// Beyond every list, and still exact when it is multiplied by a page's size.
const LARGEST = 999_999_999;

/** @returns undefined for what is none; what is larger than any list is as large as that. */
export function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined || !/^-?\d+$/.test(text)) return undefined;
  return Math.max(-LARGEST, Math.min(Number(text), LARGEST));
}
