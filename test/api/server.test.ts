/** The node server: it finishes what it accepted, and takes nothing more. */
import { connect } from "node:net";
import { expect, it } from "vitest";
import { startServer } from "../../api/server.ts";
import { Gate } from "../support/world.ts";

it("stops after it has answered what it accepted", async () => {
  const gate = new Gate();
  const server = await startServer(
    async () => {
      await gate.pass();
      return new Response("done");
    },
    { host: "127.0.0.1", port: 0 },
  );
  const accepted = fetch(`http://127.0.0.1:${server.port}/`);
  await gate.reached;
  const stopped = server.stop(10_000);
  // Nobody new gets in.
  await expect(fetch(`http://127.0.0.1:${server.port}/`)).rejects.toThrow();
  gate.open();
  expect(await (await accepted).text()).toBe("done");
  await stopped;
});

it("gives up on what does not end in its time", async () => {
  const server = await startServer(() => new Promise<Response>(() => undefined), {
    host: "127.0.0.1",
    port: 0,
  });
  const hanging = fetch(`http://127.0.0.1:${server.port}/`).catch(() => "cut off");
  const idle = connect(server.port, "127.0.0.1").on("error", () => undefined);
  await new Promise((resolve) => idle.once("connect", resolve));
  await server.stop(50);
  expect(await hanging).toBe("cut off");
});

it("says which port is taken", async () => {
  const server = await startServer(() => new Response(), { host: "127.0.0.1", port: 0 });
  await expect(
    startServer(() => new Response(), { host: "127.0.0.1", port: server.port }),
  ).rejects.toMatchObject({
    code: "config_invalid",
    message: expect.stringContaining(`port ${server.port} on 127.0.0.1 is in use`),
  });
  await server.stop(0);
});
