/** From the outbox to a real SMTP server: delivered at least once, and nothing comes with it that should not. */
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { verificationMail } from "../../api/mail/templates.ts";
import { folderTransport, type MailTransport, smtpTransport } from "../../api/mail/transport.ts";
import { MailWorker, type MailWorkerSettings } from "../../api/mail/worker.ts";
import type { Sql } from "../../store/postgres/pool.ts";
import { enqueueMails, type NewMail, takeMails } from "../../store/queries/mails.ts";
import { createTestDatabase } from "../support/database.ts";
import { type MailServer, startMailServer } from "../support/mail-server.ts";
import type { TestDatabase } from "../support/open-database.ts";

let database: TestDatabase;
let sql: Sql;
let server: MailServer;
beforeAll(async () => {
  database = await createTestDatabase();
  sql = database.pool({ role: "skep_api", max: 8 });
});
afterAll(() => database.drop());
beforeEach(async () => {
  server = await startMailServer();
  await sql`delete from mails`;
});
afterEach(() => server.close());

const logged: string[] = [];
const keep = (fields: object, message: string) => void logged.push(`${JSON.stringify(fields)} ${message}`);
const log = { info: keep, warn: keep, error: keep };

const FROM = "Registry <skep@skep.example>";

function worker(settings: Partial<MailWorkerSettings> = {}, transport?: MailTransport): MailWorker {
  return new MailWorker({ sql, transport: transport ?? smtpTransport(server.url, FROM), log, settings });
}

function mailTo(recipient: string, more: Partial<NewMail> = {}): NewMail {
  return { kind: "test", recipient, subject: "Subject", text: "Text\n", html: "<p>Text</p>", ...more };
}
const queue = (...mails: readonly NewMail[]) => sql.begin((tx) => enqueueMails(tx, mails));
const rows = () =>
  sql<{ attempts: number; failed: boolean; error: string | null }[]>`
    select attempts, failed_at is not null as failed, last_error as error from mails order by id`;

it("sends text and HTML to the one recipient, and forgets the mail", async () => {
  const mail = verificationMail(
    { name: "acme", url: "https://hex.acme.example" },
    { username: "ann", email: "ann@example.com", key: "0123" },
  );
  await queue({ ...mail, recipient: "ann@example.com" });
  expect(await worker().sendDue()).toBe(1);
  const [received] = server.received;
  expect(received).toMatchObject({ from: "skep@skep.example", to: ["ann@example.com"] });
  for (const part of [
    /^Subject: \[acme\] Verify your e-mail address\r?$/m,
    /^From: Registry <skep@skep.example>\r?$/m,
    /^To: ann@example.com\r?$/m,
    /^Auto-Submitted: auto-generated\r?$/m,
    /^Content-Type: text\/plain/m,
    /^Content-Type: text\/html/m,
  ]) {
    expect(received?.raw).toMatch(part);
  }
  expect(await rows()).toEqual([]);
  expect(logged.join("\n")).not.toMatch(/0123|ann@example.com/);
});

it("a mail that is rolled back with its transaction never goes out", async () => {
  await expect(
    sql.begin(async (tx) => {
      await enqueueMails(tx, [mailTo("ann@example.com")]);
      throw new Error("the action failed");
    }),
  ).rejects.toThrow("the action failed");
  expect(await worker().sendDue()).toBe(0);
});

it("goes on trying while the server is busy, with the same Message-ID", async () => {
  await queue(mailTo("ann@example.com"));
  server.mood = "busy";
  const patient = worker({ firstRetrySeconds: 1_000 });
  expect(await patient.sendDue()).toBe(1);
  expect(await rows()).toEqual([{ attempts: 1, failed: false, error: expect.stringContaining("busy") }]);
  // Put off, and not due yet.
  expect(await patient.sendDue()).toBe(0);
  await sql`update mails set next_at = now()`;
  server.mood = "take";
  expect(await patient.sendDue()).toBe(1);
  expect(server.received).toHaveLength(1);
});

it("waits longer each time, and gives up in the end", async () => {
  await queue(mailTo("ann@example.com"));
  server.mood = "busy";
  const delays: number[] = [];
  const limited = worker({ firstRetrySeconds: 10, longestRetrySeconds: 35, mostAttempts: 4 });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await limited.sendDue();
    const [row] = await sql<{ seconds: number }[]>`
      select round(extract(epoch from next_at - now()))::int as seconds from mails`;
    delays.push(row?.seconds ?? 0);
    await sql`update mails set next_at = now()`;
  }
  expect(delays.map((seconds) => Math.round(seconds / 5) * 5)).toEqual([10, 20, 35]);
  await limited.sendDue();
  expect(await rows()).toMatchObject([{ attempts: 4, failed: true }]);
});

it("a recipient that is refused for good is given up at once, and holds up nobody", async () => {
  await queue(mailTo("nobody@example.com"));
  server.mood = "refuse";
  await worker().sendDue();
  server.mood = "take";
  await queue(mailTo("ann@example.com"));
  await worker().sendDue();
  expect(server.received.map(({ to }) => to)).toEqual([["ann@example.com"]]);
  expect(await rows()).toEqual([{ attempts: 1, failed: true, error: expect.stringContaining("no") }]);
});

it("a server that dies after the data gets the mail twice, and it is told apart by its Message-ID", async () => {
  await queue(mailTo("ann@example.com"));
  server.mood = "die";
  const once = worker({ firstRetrySeconds: 1_000 });
  await once.sendDue();
  expect(await rows()).toMatchObject([{ attempts: 1, failed: false }]);
  server.mood = "take";
  await sql`update mails set next_at = now()`;
  await once.sendDue();
  expect(await once.sendDue()).toBe(0);
  const ids = server.received.map(({ raw }) => /^Message-ID: (\S+)/im.exec(raw)?.[1]);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

it("a server that is not there costs an attempt and nothing else", async () => {
  await queue(mailTo("ann@example.com"));
  await worker({ firstRetrySeconds: 1_000 }, smtpTransport("smtp://127.0.0.1:1", FROM)).sendDue();
  expect(await rows()).toEqual([
    { attempts: 1, failed: false, error: expect.stringContaining("ECONNREFUSED") },
  ]);
});

it("several workers at once send each mail once", async () => {
  const addresses = Array.from({ length: 40 }, (_, index) => `user-${index}@example.com`);
  await queue(...addresses.map((address) => mailTo(address)));
  const taken = await Promise.all([worker(), worker(), worker()].map((one) => one.sendDue()));
  expect(taken.reduce((sum, count) => sum + count, 0)).toBe(40);
  expect(server.received.map(({ to }) => to[0]).sort()).toEqual(addresses.sort());
});

it("what a worker took that died goes out when its time is over, and not before", async () => {
  await queue(mailTo("ann@example.com"));
  // As a worker does that is killed before it sends.
  expect(await takeMails(sql, 10, 1_000)).toHaveLength(1);
  expect(await worker().sendDue()).toBe(0);
  await sql`update mails set next_at = now()`;
  expect(await worker().sendDue()).toBe(1);
  expect(server.received).toHaveLength(1);
});

it("a worker that was overtaken does not put off what another has taken", async () => {
  await queue(mailTo("ann@example.com"));
  const slow: MailTransport = {
    description: "slow",
    async send() {
      // Its lease runs out meanwhile, and another takes the mail.
      await sql`update mails set next_at = now()`;
      await takeMails(sql, 10, 1_000);
      throw new Error("late");
    },
    close: () => undefined,
  };
  await worker({ firstRetrySeconds: 0 }, slow).sendDue();
  expect(await rows()).toEqual([{ attempts: 2, failed: false, error: null }]);
});

it("a running worker is woken by a commit, and stops when it is told", async () => {
  const running = worker({ pollMilliseconds: 60_000 });
  const ended = running.run();
  await queue(mailTo("ann@example.com"));
  await expect.poll(() => server.received.length).toBe(1);
  running.stop();
  await ended;
});

describe("header injection", () => {
  it.each<[string, Partial<NewMail>]>([
    ["a subject with a line of its own", { subject: "Hello\r\nBcc: eve@example.com\r\n\r\nText" }],
    ["a recipient with a header", { recipient: "ann@example.com\r\nBcc: eve@example.com" }],
    ["a recipient that is a list", { recipient: "ann@example.com, eve@example.com" }],
    ["a recipient with a name", { recipient: "Eve <eve@example.com>, ann@example.com" }],
  ])("%s brings nobody else into it", async (_, more) => {
    await queue(mailTo("ann@example.com", more));
    await worker().sendDue();
    for (const { to, raw } of server.received) {
      expect(to).not.toContain("eve@example.com");
      expect(raw.split(/\r?\n\r?\n/, 1)[0]).not.toMatch(/^bcc:/im);
    }
  });
});

it("without SMTP each mail is a file that its owner alone can read", async () => {
  const folder = join(await mkdtemp(join(tmpdir(), "skep-mail-")), "mail");
  await queue(mailTo("ann@example.com"), mailTo("bob@example.com"));
  await worker({}, folderTransport(folder, FROM)).sendDue();
  const files = await readdir(folder);
  expect(files).toHaveLength(2);
  const file = join(folder, files[0] ?? "");
  expect(files[0]).toMatch(/^test-[0-9a-f-]{36}\.eml$/);
  expect((await stat(file)).mode & 0o077).toBe(0);
  expect(await readFile(file, "utf8")).toMatch(/^Subject: Subject$/m);
  expect(logged.join("\n")).toContain(file);
  expect(await rows()).toEqual([]);
  await rm(join(folder, ".."), { recursive: true });
});
