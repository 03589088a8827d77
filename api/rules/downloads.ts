/** Which downloads of a release are asked for. */
import type { DownloadsWanted } from "../../store/queries/downloads.ts";

/** @param text gives a parameter; what is not understood is ignored */
export function readDownloadsWanted(text: (name: string) => string | undefined): DownloadsWanted {
  const by = text("downloads");
  return {
    by: by === "day" || by === "month" ? by : "all",
    after: isoDate(text("downloads_after")),
    before: isoDate(text("downloads_before")),
  };
}

function isoDate(text: string | undefined): string | undefined {
  if (text === undefined || !/^\d{4}-\d\d-\d\d$/.test(text) || text.startsWith("0000")) return undefined;
  const at = Date.parse(text);
  // Dates that are not in the calendar roll over to others.
  return Number.isNaN(at) || !new Date(at).toISOString().startsWith(text) ? undefined : text;
}
