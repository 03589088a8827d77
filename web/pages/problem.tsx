/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** What is told when there is nothing else to show. */
import { Frame } from "../parts/frame.tsx";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

export interface ProblemPage {
  readonly status: number;
  readonly title: string;
  readonly text: string;
}

export function showProblem(visit: Visit, { status, title, text }: ProblemPage): Promise<Response> {
  const page = (
    <Frame visit={visit} title={title}>
      <h1>{title}</h1>
      <p>{text}</p>
      <p>
        <a href="/">To the start page</a>
      </p>
    </Frame>
  );
  return respondPage(visit, page, { status });
}

export function showNotFound(visit: Visit): Promise<Response> {
  return showProblem(visit, {
    status: 404,
    title: "Page not found",
    text: "There is nothing at this address, or nothing that you may see.",
  });
}
