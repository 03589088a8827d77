/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** Keys as pages show them: in a list, once with their secret, and as a form for a new one. */
import type { KeyRow } from "../../store/queries/keys.ts";
import { type KeyPurpose, LIFETIMES } from "../key-wishes.ts";
import type { Problems } from "../problems.ts";
import type { Visit } from "../visit.ts";
import { Choice, Field, PostButton, PostForm } from "./form.tsx";
import { Code, Time } from "./text.tsx";

interface KeyItemProps {
  readonly visit: Visit;
  readonly row: KeyRow;
  /** Where the form that revokes it goes to; absent for who may not. */
  readonly revoke?: string | undefined;
}

export function KeyItem({ visit, row, revoke }: KeyItemProps) {
  return (
    <li>
      <div>
        <h3>{row.name}</h3>
        <p class="quiet">
          {row.permissions.map(({ domain, resource }) => permissionText(domain, resource)).join(", ")}
          {" · made "}
          <Time at={row.insertedAt} />
          {row.lastUsedAt === null ? " · never used" : " · last used "}
          {row.lastUsedAt === null ? null : <Time at={row.lastUsedAt} />}
          {row.revokeAt === null ? null : " · ends "}
          {row.revokeAt === null ? null : <Time at={row.revokeAt} />}
        </p>
      </div>
      {revoke === undefined ? null : (
        <PostButton
          visit={visit}
          action={revoke}
          fields={{ name: row.name }}
          class="danger"
          label={`Revoke ${row.name}`}
        >
          Revoke
        </PostButton>
      )}
    </li>
  );
}

function permissionText(domain: string, resource: string | null): string {
  if (domain === "api" && resource === null) return "everything";
  if (domain === "api") return resource === "read" ? "reads" : "writes";
  if (domain === "repositories") return "fetches from all private repositories";
  if (domain === "repository" && resource !== null) return `fetches from ${resource}`;
  return resource === null ? domain : `${domain} ${resource}`;
}

interface NewSecretProps {
  readonly name: string;
  readonly secret: string;
  /** What to do with it, in a terminal. */
  readonly commands: readonly { readonly text: string; readonly command: string }[];
  readonly back: string;
}

export function NewSecret({ name, secret, commands, back }: NewSecretProps) {
  return (
    <>
      <p>
        This is the secret of <b>{name}</b>. It is shown this once: put it where you keep your secrets.
      </p>
      <Code label="Secret of the key">{secret}</Code>
      {commands.map(({ text, command }) => (
        <>
          <p>{text}</p>
          <Code label="Command">{command}</Code>
        </>
      ))}
      <p>
        <a class="button" href={back}>
          I have kept it
        </a>
      </p>
    </>
  );
}

interface KeyFormProps {
  readonly visit: Visit;
  readonly action: string;
  /** The first one is chosen at first. */
  readonly purposes: readonly KeyPurpose[];
  readonly problems: Problems;
}

export function KeyForm({ visit, action, purposes, problems }: KeyFormProps) {
  const { form } = visit;
  const chosen = form.raw("access") || purposes[0]?.value;
  return (
    <PostForm visit={visit} action={action}>
      <Field
        name="name"
        label="Name"
        hint="For you to know it by, such as the machine it is for"
        value={form.raw("name")}
        autocomplete="off"
        problems={problems}
      />
      <fieldset>
        <legend>It may</legend>
        {purposes.map(({ value, label, hint }) => (
          <Choice
            type="radio"
            name="access"
            value={value}
            label={label}
            hint={hint}
            checked={chosen === value}
          />
        ))}
        <Field
          name="package"
          label="Package (for a key that publishes one)"
          value={form.raw("package")}
          autocomplete="off"
          problems={problems}
        />
      </fieldset>
      <div class="field">
        <label for="days">It ends</label>
        <select id="days" name="days">
          <option value="">when it is revoked</option>
          {LIFETIMES.map((days) => (
            <option value={String(days)} selected={form.raw("days") === String(days) ? true : undefined}>
              {days === 365 ? "after a year" : `after ${days} days`}
            </option>
          ))}
        </select>
      </div>
      <button type="submit">Make the key</button>
    </PostForm>
  );
}
