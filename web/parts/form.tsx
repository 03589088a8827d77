/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** Forms: each field has its label, each problem is told at the top and beside its field. */
import type { Child } from "hono/jsx";
import type { Problems } from "../problems.ts";
import type { Visit } from "../visit.ts";

interface PostProps {
  readonly visit: Visit;
  /** Absent: the page's own address. */
  readonly action?: string;
  readonly class?: string;
  readonly children?: Child;
}

/** A form that is sent with the token of this browser. */
export function PostForm({ visit, action, class: name, children }: PostProps) {
  return (
    <form method="post" action={action} class={name} novalidate>
      <input type="hidden" name="csrf" value={visit.csrf()} />
      {children}
    </form>
  );
}

interface PostButtonProps extends PostProps {
  readonly action: string;
  readonly fields?: Readonly<Record<string, string>>;
  /** What a screen reader says, where the text alone does not tell which of many it is. */
  readonly label?: string;
}

/** One button that does something. */
export function PostButton({ visit, action, fields = {}, class: name, label, children }: PostButtonProps) {
  return (
    <PostForm visit={visit} action={action} class="inline">
      {Object.entries(fields).map(([key, value]) => (
        <input type="hidden" name={key} value={value} />
      ))}
      <button type="submit" class={name} aria-label={label}>
        {children}
      </button>
    </PostForm>
  );
}

/** The browser goes to what has autofocus, so that a screen reader begins with the problems. */
export function ProblemSummary({ problems }: { readonly problems: Problems }) {
  if (problems.list.length === 0) return null;
  return (
    <div class="problems" role="alert" tabindex={-1} autofocus>
      <h2>{problems.list.length === 1 ? "There is a problem" : "There are problems"}</h2>
      <ul>
        {problems.list.map(({ field, text }) => (
          <li>{field === undefined ? text : <a href={`#${field}`}>{text}</a>}</li>
        ))}
      </ul>
    </div>
  );
}

interface FieldProps {
  readonly name: string;
  readonly label: string;
  readonly type?: "text" | "password" | "email";
  readonly value?: string;
  readonly hint?: string;
  readonly autocomplete?: string;
  readonly inputmode?: "numeric" | "email" | "text";
  readonly problems?: Problems;
  readonly autofocus?: boolean;
  readonly code?: boolean;
}

export function Field({ name, label, hint, problems, code, autofocus, ...input }: FieldProps) {
  const problem = problems?.of(name);
  const described = [hint && `${name}-hint`, problem && `${name}-problem`].filter(Boolean).join(" ");
  return (
    <div class={problem === undefined ? "field" : "field wrong"}>
      <label for={name}>{label}</label>
      {hint === undefined ? null : (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      {problem === undefined ? null : (
        <p class="problem" id={`${name}-problem`}>
          {problem}
        </p>
      )}
      <input
        id={name}
        name={name}
        class={code ? "code" : undefined}
        aria-describedby={described === "" ? undefined : described}
        aria-invalid={problem === undefined ? undefined : "true"}
        autofocus={autofocus && (problems === undefined || problems.list.length === 0) ? true : undefined}
        autocapitalize="none"
        spellcheck={false}
        type="text"
        {...input}
      />
    </div>
  );
}

interface ChoiceProps {
  readonly type: "checkbox" | "radio";
  readonly name: string;
  readonly value: string;
  readonly label: Child;
  readonly hint?: string;
  readonly checked?: boolean;
  readonly disabled?: boolean;
}

export function Choice({ type, name, value, label, hint, checked, disabled }: ChoiceProps) {
  const id = `${name.replace(/\W/g, "")}-${value.replace(/\W/g, "-")}`;
  return (
    <div class="choice">
      <input
        type={type}
        id={id}
        name={name}
        value={value}
        checked={checked ? true : undefined}
        disabled={disabled ? true : undefined}
        aria-describedby={hint === undefined ? undefined : `${id}-hint`}
      />
      <label for={id}>{label}</label>
      {hint === undefined ? null : (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
