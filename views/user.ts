/** Users in answers. */
import type { OwnedPackage, UserReference, UserRow } from "../store/queries/users.ts";
import { instant } from "./instant.ts";
import { type UrlSettings, type Urls, urlsOf } from "./urls.ts";

/** Enough for lists. */
export function userReference(user: UserReference, urls: Urls): object {
  return {
    username: user.username,
    ...(user.publicEmail === null ? {} : { email: user.publicEmail }),
    url: urls.api(`users/${user.username}`),
  };
}

export function userView(user: UserRow, urls: Urls): object {
  return {
    ...userReference(user, urls),
    full_name: user.fullName,
    handles: user.handles,
    inserted_at: instant(user.insertedAt),
    updated_at: instant(user.updatedAt),
  };
}

/** With what the user owns. */
export function userWithPackages(
  user: UserRow,
  packages: readonly OwnedPackage[],
  settings: UrlSettings,
): object {
  const shown = packages.map(({ name, repository }) => {
    const urls = urlsOf(settings, repository);
    return { name, repository, url: urls.package(name), html_url: urls.packagePage(name) };
  });
  return {
    ...userView(user, urlsOf(settings)),
    // Of packages with one name the public one, which comes first, is meant.
    owned_packages: Object.fromEntries(shown.toReversed().map(({ name, url }) => [name, url])),
    packages: shown,
  };
}
