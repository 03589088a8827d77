/** A thread that reads tarballs. */
import { parentPort } from "node:worker_threads";
import { type ReadAnswer, type ReadRequest, readTarballs } from "./readers.ts";

parentPort?.on("message", ({ id, name, files }: ReadRequest) => {
  const answer: ReadAnswer = { id, results: readTarballs(name, files) };
  parentPort?.postMessage(answer);
});
