/** How severe a vulnerability is, by the Common Vulnerability Scoring System in its versions 2.0 to 4.0. */
import cvss from "ae-cvss-calculator";
import type { CvssRating } from "./rating.ts";

export interface CvssScore {
  readonly score: number;
  readonly rating: CvssRating;
}

/** @returns undefined for what is no vector, or leaves one of the base metrics open. */
export function cvssScore(vector: string): CvssScore | undefined {
  try {
    const parsed = cvss.fromVector(vector);
    if (parsed === null || !parsed.isBaseFullyDefined()) return undefined;
    const score = parsed.calculateScores().overall;
    return score === undefined ? undefined : { score, rating: ratingOf(score) };
  } catch {
    return undefined;
  }
}

function ratingOf(score: number): CvssRating {
  if (score <= 0) return "none";
  if (score < 4) return "low";
  if (score < 7) return "medium";
  return score < 9 ? "high" : "critical";
}
