/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** The boxes with which a person decides what a program may. */
import { isWriting } from "../../api/oauth/scopes.ts";
import { isMandatory } from "../scope-choice.ts";
import { Choice } from "./form.tsx";

interface DecisionProps extends ScopeChoicesProps {
  /** What the form's `action` says for yes; `deny` is no. */
  readonly accept: string;
}

/** What a program asks for, and the two buttons below. */
export function Decision({ accept, ...asked }: DecisionProps) {
  return (
    <>
      <ScopeChoices {...asked} />
      <div class="buttons">
        <button type="submit" name="action" value={accept}>
          Let it in
        </button>
        <button type="submit" name="action" value="deny" class="danger">
          Turn it away
        </button>
      </div>
    </>
  );
}

interface ScopeChoicesProps {
  readonly scopes: readonly string[];
  readonly hasTotp: boolean;
}

function ScopeChoices({ scopes, hasTotp }: ScopeChoicesProps) {
  return (
    <fieldset>
      <legend>What it may do</legend>
      {scopes.length === 0 ? <p class="quiet">It asks for nothing.</p> : null}
      {scopes.map((scope) => {
        const isRefused = isWriting(scope) && !hasTotp;
        return (
          <>
            {/* A box that cannot be changed is not sent. */}
            {isMandatory(scope) ? <input type="hidden" name="selected_scopes[]" value={scope} /> : null}
            <Choice
              type="checkbox"
              name="selected_scopes[]"
              value={scope}
              label={scopeText(scope)}
              hint={
                isRefused ? "Needs two-factor authentication, which your account has not turned on" : scope
              }
              checked={!isRefused}
              disabled={isRefused || isMandatory(scope)}
            />
          </>
        );
      })}
      {!hasTotp && scopes.some(isWriting) ? (
        <p>
          <a href="/account/two-factor">Turn on two-factor authentication</a>
        </p>
      ) : null}
    </fieldset>
  );
}

/** @returns a scope in words. */
export function scopeText(scope: string): string {
  switch (scope) {
    case "api":
      return "Everything that you may do";
    case "api:read":
      return "See your account and your packages";
    case "api:write":
      return "Publish packages and change your account";
    case "repositories":
      return "Fetch from the repositories of all your organizations";
  }
  const colon = scope.indexOf(":");
  const resource = scope.slice(colon + 1);
  switch (scope.slice(0, colon)) {
    case "package":
      return `Publish ${resource}`;
    case "repository":
      return `Fetch from the repository of ${resource}`;
    case "docs":
      return `Read the documentation of ${resource}`;
    default:
      return scope;
  }
}
