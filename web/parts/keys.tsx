/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** Keys as pages show them: in a list, and once with their secret. */
import type { KeyRow } from "../../store/queries/keys.ts";
import type { Visit } from "../visit.ts";
import { PostButton } from "./form.tsx";
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
