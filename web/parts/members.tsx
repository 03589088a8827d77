/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** The members of an organization: a list for all of them, and the forms with which admins change it. */
import { type Member, ROLES, type Role, roleCovers } from "../../store/queries/memberships.ts";
import type { OrganizationRow } from "../../store/queries/organizations.ts";
import type { Problems } from "../problems.ts";
import type { Visit } from "../visit.ts";
import { Field, PostButton, PostForm } from "./form.tsx";

const ROLE_TEXTS: Readonly<Record<Role, string>> = {
  read: "may fetch",
  write: "may also publish and make keys",
  admin: "may also change members and owners",
};

interface MembersProps {
  readonly visit: Visit;
  readonly organization: OrganizationRow;
  /** Of who looks at them. */
  readonly role: Role;
  readonly members: readonly Member[];
  readonly problems: Problems;
}

export function Members({ visit, organization, role, members, problems }: MembersProps) {
  const { name, seats } = organization;
  const isAdmin = roleCovers(role, "admin");
  return (
    <section aria-labelledby="members">
      <h2 id="members">Members</h2>
      {seats === null ? null : <p class="quiet">{`${members.length} of ${seats} seats are taken.`}</p>}
      <ul class="rows">
        {members.map((member) => (
          <MemberItem visit={visit} organization={name} member={member} isAdmin={isAdmin} />
        ))}
      </ul>
      {isAdmin ? <MemberForm visit={visit} organization={name} problems={problems} /> : null}
    </section>
  );
}

interface MemberItemProps {
  readonly visit: Visit;
  readonly organization: string;
  readonly member: Member;
  /** Whether who looks at it may change it. */
  readonly isAdmin: boolean;
}

function MemberItem({ visit, organization, member, isAdmin }: MemberItemProps) {
  const { user, role } = member;
  const { username, fullName } = user;
  const base = `/organizations/${organization}/members`;
  return (
    <li>
      <div>
        <h3>
          <a href={`/users/${username}`}>{username}</a>
        </h3>
        {fullName === null ? null : <p class="quiet">{fullName}</p>}
      </div>
      {isAdmin ? (
        <div class="actions">
          <PostForm visit={visit} action={`${base}/change`} class="actions">
            <input type="hidden" name="member" value={username} />
            <select id={`role-${username}`} name="role" aria-label={`Role of ${username}`}>
              <RoleOptions chosen={role} text={(each) => each} />
            </select>
            <button type="submit" class="small" aria-label={`Change the role of ${username}`}>
              Change
            </button>
          </PostForm>
          {user.id === visit.user?.id ? null : (
            <PostButton
              visit={visit}
              action={`${base}/remove`}
              fields={{ member: username }}
              class="danger"
              label={`Remove ${username}`}
            >
              Remove
            </PostButton>
          )}
        </div>
      ) : (
        <span class="tag">{role}</span>
      )}
    </li>
  );
}

interface MemberFormProps {
  readonly visit: Visit;
  readonly organization: string;
  readonly problems: Problems;
}

function MemberForm({ visit, organization, problems }: MemberFormProps) {
  const { form } = visit;
  const chosen = problems.list.length > 0 ? form.raw("role") : "";
  return (
    <PostForm visit={visit} action={`/organizations/${organization}/members`}>
      <Field
        name="member"
        label="Add a member"
        hint="User name, or an e-mail address that its owner shows to everybody"
        value={form.text("member")}
        autocomplete="off"
        problems={problems}
      />
      <div class="field">
        <label for="role">Role</label>
        <select id="role" name="role">
          <RoleOptions
            chosen={ROLES.find((role) => role === chosen) ?? "read"}
            text={(role) => `${role}: ${ROLE_TEXTS[role]}`}
          />
        </select>
      </div>
      <button type="submit">Add</button>
    </PostForm>
  );
}

interface RoleOptionsProps {
  readonly chosen: Role;
  readonly text: (role: Role) => string;
}

function RoleOptions({ chosen, text }: RoleOptionsProps) {
  return (
    <>
      {ROLES.map((role) => (
        <option value={role} selected={role === chosen ? true : undefined}>
          {text(role)}
        </option>
      ))}
    </>
  );
}

/** Behind a line to open, since it cannot be taken back without an admin. */
export function LeaveForm({ visit, organization }: { readonly visit: Visit; readonly organization: string }) {
  return (
    <details class="aside">
      <summary>Leave {organization}</summary>
      <p>
        You can no longer fetch its packages, your keys included, and own none of them. An admin can add you
        again.
      </p>
      <PostButton visit={visit} action={`/organizations/${organization}/leave`} class="danger">
        Leave it now
      </PostButton>
    </details>
  );
}
