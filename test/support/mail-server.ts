/** A real SMTP server for tests, which can refuse, or die at the worst moment. */
import { createServer, type Socket } from "node:net";
import { SMTPServer, type SMTPServerDataStream } from "smtp-server";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came over the line. */
  readonly raw: string;
}

export type Mood =
  | "take"
  /** 450 to each recipient. */
  | "busy"
  /** 550 to each recipient. */
  | "refuse"
  /** Takes the mail, and hangs up instead of saying so. */
  | "die";

export interface MailServer {
  readonly url: string;
  readonly received: readonly ReceivedMail[];
  /** Commands that were begun, whatever became of them. */
  readonly offered: () => number;
  mood: Mood;
  close(): Promise<void>;
}

export async function startMailServer(): Promise<MailServer> {
  const received: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  let offered = 0;
  const smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    onRcptTo(_address, _session, done) {
      offered += 1;
      if (server.mood === "busy") return done(Object.assign(new Error("busy"), { responseCode: 450 }));
      if (server.mood === "refuse") return done(Object.assign(new Error("no"), { responseCode: 550 }));
      done();
    },
    onData(stream: SMTPServerDataStream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw: Buffer.concat(chunks).toString("utf8"),
        });
        if (server.mood === "die") for (const socket of sockets) socket.destroy();
        else done();
      });
    },
  });
  // In front of it, to be able to hang up.
  const front = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    smtp.server.emit("connection", socket);
  });
  await new Promise<void>((done) => front.listen(0, "127.0.0.1", done));
  smtp.on("error", () => undefined);
  const address = front.address();
  const server: MailServer = {
    url: `smtp://127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    received,
    offered: () => offered,
    mood: "take",
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => front.close(done));
    },
  };
  return server;
}
