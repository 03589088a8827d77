import { describe } from "vitest";
import { MemoryStore } from "../../store/objects/memory.ts";
import { describeObjectStore } from "./object-store.ts";

describe("memory store", () => {
  const store = new MemoryStore();
  describeObjectStore(() => store);
});
