/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** Small pieces of text. */
import { isoMicros, type Micros } from "../../schemas/time.ts";

/** An instant, in a form that everybody reads the same way. */
export function Time({ at }: { readonly at: Micros }) {
  const iso = isoMicros(at);
  return <time datetime={iso}>{`${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`}</time>;
}

/** Something to copy; a click or the first key marks all of it. */
export function Code({ children, label }: { readonly children: string; readonly label: string }) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: no section of the page, only a name for what scrolls
    <pre tabindex={0} role="region" aria-label={label}>
      <code>{children}</code>
    </pre>
  );
}
