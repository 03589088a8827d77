/** Packages, to read. */
import { ownersOf } from "../../store/queries/owners.ts";
import { type PackageSearch, releaseSummaries, searchPackages } from "../../store/queries/packages.ts";
import { authorize } from "../auth/authorization.ts";
import { type Call, type Handler, textParameter } from "../call.ts";
import { packageAlone, packageInList } from "../views/package.ts";
import { urlsOf } from "../views/urls.ts";
import { findTarget, requirePackage } from "./lookup.ts";
import { cacheOf, visibleRepositories } from "./visibility.ts";

const PAGE_SIZE = 100;

export const listPackages: Handler = async (call) => {
  const visible = await visibleRepositories(call);
  const ids = visible.map((repository) => repository.id);
  const rows = await searchPackages(call.deps.sql, ids, searchOf(call));
  const releases = await releaseSummaries(
    call.deps.sql,
    rows.map((row) => row.id),
  );
  return {
    status: 200,
    body: rows.map((row) =>
      packageInList(
        row.repository,
        row,
        releases.filter((release) => release.packageId === row.id),
        urlsOf(call.deps.settings, row.repository),
      ),
    ),
    ...cacheOf(visible),
  };
};

function searchOf(call: Call): PackageSearch {
  const limit = Math.min(Math.max(wholeNumber(textParameter(call, "per_page")) ?? PAGE_SIZE, 1), PAGE_SIZE);
  const page = Math.max(wholeNumber(textParameter(call, "page")) ?? 1, 1);
  const sort = textParameter(call, "sort");
  return {
    ...termsOf(textParameter(call, "search")?.trim() ?? ""),
    sort: sort === "inserted_at" || sort === "updated_at" ? sort : "name",
    offset: (page - 1) * limit,
    limit,
  };
}

/** `name:PATTERN` and free words; other keys are ignored. */
function termsOf(search: string): Pick<PackageSearch, "text" | "name"> {
  const words: string[] = [];
  let name: string | undefined;
  for (const token of search.split(/\s+/)) {
    const colon = token.indexOf(":");
    if (colon <= 0) words.push(token);
    else if (token.startsWith("name:")) name = token.slice(colon + 1).replaceAll('"', "");
  }
  const text = words.join(" ").trim();
  return { text: text === "" ? undefined : text, name };
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d{1,9}$/.test(text) ? Number(text) : undefined;
}

export const showPackage: Handler = async (call) => {
  const found = await findTarget(call);
  await authorize(call, found);
  const { repository, package: row } = requirePackage(found);
  const { sql, settings } = call.deps;
  const [releases, owners] = await Promise.all([releaseSummaries(sql, [row.id]), ownersOf(sql, row.id)]);
  return {
    status: 200,
    body: packageAlone(repository.name, row, releases, owners, urlsOf(settings, repository.name)),
    ...cacheOf([repository]),
    lastModified: row.updatedAt,
  };
};
