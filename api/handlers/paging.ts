/** Which page of a list is asked for. */
import { type Call, textParameter } from "../call.ts";

export const PAGE_SIZE = 100;

/** @returns the page, counted from 1; what is no such number is the first. */
export function pageOf(call: Call): number {
  return Math.max(wholeNumber(textParameter(call, "page")) ?? 1, 1);
}

/** @returns undefined for what is none, or too large to be meant. */
export function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
}
