/** Packages, to read. */
import { fullPackageByName } from "../../store/queries/full-package.ts";
import {
  PACKAGE_ORDERS,
  type PackageOrder,
  type PackageSearch,
  searchPackages,
} from "../../store/queries/search.ts";
import { authorize } from "../auth/authorization.ts";
import { type Call, type Handler, pathParameter, type RepositoryRow, textParameter } from "../call.ts";
import { notFound } from "../http/errors.ts";
import { JsonList } from "../http/format.ts";
import { matchesName, parseSearch } from "../rules/search.ts";
import { findRepository } from "./lookup.ts";
import { PAGE_SIZE, pageOf, wholeNumber } from "./paging.ts";
import { cacheOf, visibleRepositories } from "./visibility.ts";

export const listPackages: Handler = async (call) => {
  const visible = await visibleRepositories(call);
  const search = searchOf(call, visible);
  const found = await searchPackages(call.deps.sql, search);
  const { entries } = call;
  const body = call.format === "json" ? new JsonList(await entries.json(found)) : await entries.values(found);
  return { status: 200, body, ...cacheOf(visible) };
};

/** @param visible the repositories whose packages the caller may see */
function searchOf(call: Call, visible: readonly RepositoryRow[]): PackageSearch {
  const { repositoryName, externalRepositories } = call.deps.settings;
  const limit = Math.min(Math.max(wholeNumber(textParameter(call, "per_page")) ?? PAGE_SIZE, 1), PAGE_SIZE);
  const { text, name, depends, ...terms } = parseSearch(textParameter(call, "search") ?? "");
  const idsOf = (holds: (repository: string) => boolean) =>
    visible.filter((repository) => holds(repository.name)).map((repository) => repository.id);
  const textIn = text?.repository;
  return {
    ...terms,
    repositoryIds: idsOf((own) => name?.repository === undefined || own === name.repository),
    ...(name === undefined ? {} : { name: name.pattern }),
    ...(text === undefined
      ? {}
      : {
          text: {
            name: text.name,
            words: text.words,
            repositoryIds: idsOf((own) => textIn === undefined || matchesName(textIn, own)),
          },
        }),
    ...(depends === undefined
      ? {}
      : {
          depends: {
            package: depends.package,
            repositories:
              depends.repository === undefined
                ? [repositoryName, ...externalRepositories]
                : [depends.repository],
          },
        }),
    sort: orderOf(textParameter(call, "sort")),
    offset: (pageOf(call) - 1) * limit,
    limit,
  };
}

function orderOf(sort: string | undefined): PackageOrder {
  if (sort === "downloads") return "total_downloads";
  return PACKAGE_ORDERS.find((order) => order === sort) ?? "name";
}

export const showPackage: Handler = async (call) => {
  const { deps, answers, format } = call;
  const repository = await findRepository(call);
  const row = repository && (await fullPackageByName(deps.sql, repository.id, pathParameter(call, "name")));
  await authorize(call, { repository, package: row });
  if (repository === undefined || row === undefined) throw notFound();
  const body = await answers.rendered(repository, row, format);
  return { status: 200, body, ...cacheOf([repository]), lastModified: row.updatedAt };
};
