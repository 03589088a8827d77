/** Rows as a publish leaves them, for tests of the generator that need no API. */
import { createHash, randomBytes } from "node:crypto";
import { type PackageName, packageName, sha256, trusted, type Version, version } from "../../hex/ids.ts";
import { blobKey } from "../../hex/keys.ts";
import { buildTarball } from "../../hex/tarball/build.ts";
import type { ObjectStore } from "../../store/objects/store.ts";
import type { Sql, Transaction } from "../../store/postgres/pool.ts";
import { recordChange } from "../../store/queries/changes.ts";

export const name = (text: string): PackageName => trusted(packageName, text);
export const v = (text: string): Version => trusted(version, text);

export interface RowPublisher {
  readonly repositoryId: number;
  /** @returns the id of the change. Publishing a version that is there replaces it. */
  publish(packageText: string, versionText: string, options?: PublishOptions): Promise<number>;
  revert(packageText: string, versionText: string): Promise<number>;
  retire(packageText: string, versionText: string, reason: string | null, message?: string): Promise<number>;
  docs(packageText: string, versionText: string, bytes: Uint8Array | null): Promise<number>;
}

export interface PublishOptions {
  readonly requirements?: readonly {
    repository: string;
    package: string;
    app: string;
    requirement: string;
    optional: boolean;
  }[];
}

async function stage(store: ObjectStore, bytes: Uint8Array): Promise<{ key: string; hash: string }> {
  const hash = createHash("sha256").update(bytes).digest("hex");
  const key = blobKey(trusted(sha256, hash), randomBytes(16).toString("hex"));
  await store.put(key, bytes, { precondition: { kind: "absent" } });
  return { key, hash };
}

/** Makes the repository if it is not there, with its first change. */
export async function openRowPublisher(
  sql: Sql,
  privateStore: ObjectStore,
  repository = { name: "local", public: true },
): Promise<RowPublisher> {
  await sql`
    insert into repositories (name, public) values (${repository.name}, ${repository.public})
    on conflict do nothing`;
  const [row] = await sql<{ id: number }[]>`select id from repositories where name = ${repository.name}`;
  if (row === undefined) throw new Error("no repository");
  const repositoryId = row.id;
  await sql.begin((tx) => recordChange(tx, { repositoryId, package: undefined }));

  const change = (packageText: string, work: (tx: Transaction) => Promise<void>): Promise<number> =>
    sql.begin(async (tx) => {
      await work(tx);
      await tx`update packages set updated_at = now() where repository_id = ${repositoryId} and name = ${packageText}`;
      return recordChange(tx, { repositoryId, package: name(packageText) });
    }) as Promise<number>;
  const releaseOf = (tx: Transaction, packageText: string, versionText: string) => tx`
    (select r.id from releases r join packages p on p.id = r.package_id
     where p.repository_id = ${repositoryId} and p.name = ${packageText} and r.version = ${versionText})`;

  return {
    repositoryId,
    async publish(packageText, versionText, options = {}) {
      // Other contents each time: no two uploads of the tests are the same.
      const { tarball, innerChecksum } = buildTarball({
        metadata: { name: packageText, version: versionText, app: packageText },
        files: { "nonce.txt": randomBytes(20) },
      });
      const blob = await stage(privateStore, tarball);
      return change(packageText, async (tx) => {
        const [pkg] = await tx<{ id: number }[]>`
          insert into packages (repository_id, name, meta) values (${repositoryId}, ${packageText}, ${tx.json({})})
          on conflict (repository_id, name) do update set updated_at = now() returning id`;
        const [release] = await tx<{ id: number }[]>`
          insert into releases (package_id, version, inner_checksum, outer_checksum, blob_key, meta)
          values (${pkg?.id ?? 0}, ${versionText}, ${innerChecksum}, decode(${blob.hash}, 'hex'),
            ${blob.key}, ${tx.json({ app: packageText })})
          on conflict (package_id, version) do update set
            inner_checksum = excluded.inner_checksum, outer_checksum = excluded.outer_checksum,
            blob_key = excluded.blob_key
          returning id`;
        for (const requirement of options.requirements ?? []) {
          await tx`insert into requirements ${tx({ release_id: release?.id ?? 0, ...requirement })} on conflict do nothing`;
        }
      });
    },
    revert: (packageText, versionText) =>
      change(packageText, async (tx) => {
        await tx`delete from releases where id = ${releaseOf(tx, packageText, versionText)}`;
        await tx`
          delete from packages p where repository_id = ${repositoryId} and name = ${packageText}
            and not exists (select 1 from releases r where r.package_id = p.id)`;
      }),
    retire: (packageText, versionText, reason, message) =>
      change(packageText, async (tx) => {
        await tx`
          update releases set retirement_reason = ${reason}, retirement_message = ${message ?? null}
          where id = ${releaseOf(tx, packageText, versionText)}`;
      }),
    async docs(packageText, versionText, bytes) {
      const blob = bytes === null ? null : await stage(privateStore, bytes);
      return change(packageText, async (tx) => {
        await tx`
          update releases set docs_blob_key = ${blob?.key ?? null}, docs_checksum = decode(${blob?.hash ?? null}, 'hex')
          where id = ${releaseOf(tx, packageText, versionText)}`;
      });
    },
  };
}
