/** @jsxRuntime automatic */
/** @jsxImportSource hono/jsx */
/** What everybody may see of an account. */
import { notFound } from "../../api/http/errors.ts";
import { normalizeUsername } from "../../hex/names.ts";
import { packagesOwnedBy, userByPublicName } from "../../store/queries/users.ts";
import { Frame } from "../parts/frame.tsx";
import { Time } from "../parts/text.tsx";
import { respondPage } from "../respond.ts";
import type { Visit } from "../visit.ts";

export async function showUser(visit: Visit): Promise<Response> {
  const { sql, settings } = visit.deps;
  const user = await userByPublicName(sql, normalizeUsername(visit.c.req.param("name") ?? ""));
  if (user === undefined || user.deactivatedAt !== null) throw notFound();
  const packages = (await packagesOwnedBy(sql, user.id)).filter(
    ({ repository }) => repository === settings.repositoryName,
  );
  const page = (
    <Frame visit={visit} title={user.username}>
      <h1>{user.username}</h1>
      {user.fullName === null ? null : <p class="lead">{user.fullName}</p>}
      <p class="quiet">
        Here since <Time at={user.insertedAt} />
      </p>
      <h2>Packages</h2>
      {packages.length === 0 ? (
        <p>None yet.</p>
      ) : (
        <ul class="plain">
          {packages.map(({ name }) => (
            <li>
              <a href={`/packages/${name}`}>
                <code>{name}</code>
              </a>
            </li>
          ))}
        </ul>
      )}
      {visit.user?.id === user.id ? (
        <p>
          <a class="button" href="/account">
            Your account
          </a>
        </p>
      ) : null}
    </Frame>
  );
  return respondPage(visit, page);
}
