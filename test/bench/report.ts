/** Rows of the benchmark's table. */

export interface Row {
  readonly what: string;
  readonly ours: string;
  /** Measured in the same run. */
  readonly limit: string;
  readonly beside: string;
  /** Ours in terms of the limit. */
  readonly ratio: number;
  readonly goal: string;
}

export async function seconds(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** @param share 0 to 1 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** @returns a Markdown table. */
export function table(rows: readonly Row[]): string {
  const head = ["what", "skep", "limit in the same run", "beside", "ratio", "goal"];
  const lines = rows.map((row) => [
    row.what,
    row.ours,
    row.limit,
    row.beside,
    row.ratio.toFixed(2),
    row.goal,
  ]);
  const render = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [render(head), render(head.map(() => "---")), ...lines.map(render)].join("\n");
}
