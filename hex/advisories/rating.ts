/** Severity in words (CVSS 4.0, section 6). */
export type CvssRating = "none" | "low" | "medium" | "high" | "critical";
